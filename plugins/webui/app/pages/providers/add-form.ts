/** What a new provider is asked for, and its section of the config made from that. */
import { html, nothing, type TemplateResult } from "lit";
import { href } from "../../client/router.ts";
import { t } from "../../i18n/locale.ts";
import { short } from "../../parts/plain.ts";
import type { Auth, Preset } from "./shapes.ts";
import { authText } from "./wording.ts";

export interface AddState {
  /** Null: a server that no preset knows. */
  readonly preset: Preset | null;
  readonly auth: Auth;
  readonly name: string;
  /** Nobody answers yet: it becomes the default. */
  readonly isFirst: boolean;
  /** What is used now and was only found: gone with the first provider in the config, unless it is kept. */
  readonly found: readonly string[];
}

const wires = [
  ["chat", "OpenAI Chat Completions"],
  ["responses", "OpenAI Responses"],
  ["anthropic", "Anthropic Messages"],
  ["gemini", "Google Gemini"],
] as const;

interface TextOptions {
  readonly value?: string;
  readonly hint?: string;
  readonly type?: string;
  readonly required?: boolean;
  readonly pattern?: string;
}

export function addForm(state: AddState, choose: (auth: Auth) => void): TemplateResult {
  const { preset, auth, found, isFirst } = state;
  const usesAccounts = auth === "oauth" || auth === "hybrid";
  const needsBase = preset === null || preset.needs.includes("api_base") || preset.local;
  return html`
    ${text("name", t("providers.field.name"), { value: state.name, required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}", hint: t("providers.field.name.hint") })}
    ${needsBase ? baseField(preset) : ""}
    ${authChoice(state, choose)}
    ${auth === "oauth" ? "" : keyField(preset)}
    ${usesAccounts && preset?.login ? clientFields(preset) : ""}
    ${preset === null ? wireField() : ""}
    ${text("models", t("providers.field.models"), { value: preset?.models.join(", ") ?? "", hint: t("providers.field.models.hint") })}
    ${needsBase ? "" : html`<details><summary class="small">${t("providers.field.more")}</summary>${baseField(preset)}</details>`}
    ${preset?.relay ? html`<p class="notice">${t("providers.relay.hint")}</p>` : ""}
    <label class="check"><input type="checkbox" name="primary" ?checked=${isFirst} />${t("providers.field.primary")}</label>
    ${found.length > 0 ? html`<label class="check"><input type="checkbox" name="keep" checked />${t("providers.field.keep", { names: short(found.join(", "), 120) })}</label>` : ""}
    <p class="small"><a href=${href("config")}>${t("providers.field.config")}</a></p>`;
}

/** As it stands in the config. */
export function sectionOf(
  { preset, auth }: Pick<AddState, "preset" | "auth">,
  fields: FormData,
): Record<string, unknown> {
  const read = (name: string) => String(fields.get(name) ?? "").trim();
  const key = read("api_key");
  const base = read("api_base");
  const models = [
    ...new Set(
      read("models")
        .split(/[\s,]+/)
        .filter(Boolean),
    ),
  ];
  const wire = read("wire");
  const usesAccounts = auth === "oauth" || auth === "hybrid";
  return {
    ...(preset !== null && { preset: preset.id }),
    ...(preset === null && wire !== "chat" && { api: wire }),
    ...(base !== "" && base !== preset?.api_base && { api_base: base }),
    ...(key !== "" && { api_key: key }),
    ...(usesAccounts && { auth, oauth: oauthOf(preset, read) }),
    ...(preset === null && key === "" && { auth: "none" }),
    ...(models.length > 0 && { models }),
  };
}

function oauthOf(preset: Preset | null, read: (name: string) => string): Record<string, unknown> {
  const [id, secret] = [read("client_id"), read("client_secret")];
  return {
    provider: preset?.login?.vendor,
    ...(id !== "" && { client_id: id }),
    ...(secret !== "" && { client_secret: secret }),
  };
}

function authChoice({ preset, auth }: AddState, choose: (auth: Auth) => void): TemplateResult | "" {
  const choices = preset?.auth ?? [];
  if (choices.length < 2) return "";
  return html`<fieldset>
    <legend>${t("providers.field.auth")}</legend>
    ${choices.map((one) => html`<label class="check"><input type="radio" name="auth" value=${one} .checked=${one === auth} @change=${() => choose(one)} />${authText(one)}</label>`)}
  </fieldset>`;
}

function keyField(preset: Preset | null): TemplateResult | "" {
  if (preset?.relay || preset?.local) return "";
  const required = preset?.needs.includes("api_key") ?? false;
  const hint = preset?.env
    ? t("providers.field.key.env", { name: `\${${preset.env}}` })
    : t("providers.field.key.hint");
  return text("api_key", t(required ? "providers.field.key" : "providers.field.key.optional"), {
    type: "password",
    required,
    hint,
  });
}

function baseField(preset: Preset | null): TemplateResult {
  const required = preset === null || preset.needs.includes("api_base");
  return text("api_base", t("providers.field.base"), {
    value: preset?.api_base ?? "",
    type: "url",
    required,
    hint: t(required ? "providers.field.base.needed" : "providers.field.base.known"),
  });
}

function clientFields({ login }: Preset): TemplateResult {
  const isSet = login?.client_set === true;
  return html`<fieldset>
    <legend>${t("providers.client")}</legend>
    <p class="hint">${t(isSet ? "providers.client.set" : "providers.client.hint")}</p>
    ${text("client_id", t("providers.client.id"), { required: !isSet })}
    ${login?.client_secret ? text("client_secret", t("providers.client.secret"), { type: "password", required: !isSet }) : ""}
  </fieldset>`;
}

function wireField(): TemplateResult {
  return html`<div class="field"><label for="wire">${t("providers.field.wire")}</label>
    <select id="wire" name="wire">${wires.map(([id, title]) => html`<option value=${id}>${title}</option>`)}</select></div>`;
}

function text(
  name: string,
  label: string,
  { value = "", hint = "", type = "text", required = false, pattern }: TextOptions,
): TemplateResult {
  return html`<div class="field"><label for=${name}>${label}</label>
    <input id=${name} name=${name} type=${type} .value=${value} ?required=${required} pattern=${pattern ?? ".*"} maxlength="4000"
      autocomplete=${type === "password" ? "new-password" : "off"} spellcheck="false" aria-describedby=${hint === "" ? nothing : `${name}-hint`} />
    ${hint === "" ? "" : html`<span class="hint" id="${name}-hint">${hint}</span>`}</div>`;
}
