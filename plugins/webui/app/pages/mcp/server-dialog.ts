/** Adds a server or changes the settings of one. Secrets are shown as their mark; what still is the mark is kept as it is. */
import { css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import "../../parts/dialog.ts";
import { Part } from "../../parts/part.ts";
import { short } from "../../parts/plain.ts";
import { linesOf, noSettings, pairsOf, pairsText, type Server, type Settings } from "./server.ts";

@customElement("mcp-server-dialog")
export class ServerDialog extends Part {
  static override styles = [...Part.styles, css`fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }`];

  @property({ attribute: false }) server?: Server | "new";
  /** Names of all servers. */
  @property({ attribute: false }) taken: readonly string[] = [];
  @state() private settings: Settings | undefined;
  @state() private transport = "stdio";
  @state() private error = "";
  @state() private busy = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("server")) void this.begin();
  }

  override render() {
    const { server, settings } = this;
    const heading = server === "new" ? t("mcp.add") : t("mcp.edit", { name: server?.name ?? "" });
    return html`<ui-dialog wide ?open=${server !== undefined} heading=${heading} @close=${this.close}>
      ${settings ? this.form(settings) : this.error === "" ? html`<p class="muted" role="status">${t("app.loading")}</p>` : ""}
      <p class="error" role="alert">${short(this.error, 800)}</p>
      <button slot="actions" @click=${this.close}>${t("ui.cancel")}</button>
      <button slot="actions" class="primary" ?disabled=${this.busy || settings === undefined} @click=${this.save}>
        ${this.busy ? t("ui.saving") : t("ui.save")}
      </button>
    </ui-dialog>`;
  }

  private form(settings: Settings): unknown {
    const isNew = this.server === "new";
    return html`<form @submit=${this.save}>
      ${isNew ? text("name", t("mcp.field.name"), "", { required: true, hint: t("mcp.field.name.hint") }) : ""}
      <div class="field">
        <label for="transport">${t("mcp.field.transport")}</label>
        <select id="transport" name="transport" .value=${this.transport} @change=${(event: Event) => {
          this.transport = (event.target as HTMLSelectElement).value;
        }}>
          ${["stdio", "http", "sse"].map((name) => html`<option value=${name} ?selected=${name === this.transport}>${name}</option>`)}
        </select>
      </div>
      <fieldset ?hidden=${this.transport !== "stdio"} ?disabled=${this.transport !== "stdio"}>${program(settings)}</fieldset>
      <fieldset ?hidden=${this.transport === "stdio"} ?disabled=${this.transport === "stdio"}>${remote(settings)}</fieldset>
      ${text("description", t("mcp.field.description"), settings.description)}
      <label class="check"><input type="checkbox" name="enabled" ?checked=${settings.enabled} />${t("mcp.field.enabled")}</label>
      <button hidden></button>
    </form>`;
  }

  private async begin(): Promise<void> {
    const { server } = this;
    this.error = "";
    this.settings = undefined;
    if (server === undefined) return;
    if (server === "new") {
      this.show(noSettings);
      return;
    }
    try {
      const path = `tools.mcp.servers[${JSON.stringify(server.name)}]`;
      const { value } = await call<{ value?: Partial<Settings> }>("config.get", { path });
      if (this.server !== server) return;
      if (value === undefined) this.error = t("mcp.gone", { name: server.name });
      else this.show({ ...noSettings, ...value });
    } catch (error) {
      if (this.server === server) this.error = (error as Error).message;
    }
  }

  private show(settings: Settings): void {
    this.settings = settings;
    this.transport = settings.transport === "streamable_http" ? "http" : settings.transport;
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    const form = this.renderRoot.querySelector("form");
    if (this.busy || this.settings === undefined || form === null || !form.reportValidity()) return;
    const fields = new FormData(form);
    const read = (name: string) => fields.get(name)?.toString() ?? "";
    const env = pairsOf(read("env"));
    const headers = pairsOf(read("headers"));
    if (env === undefined || headers === undefined) {
      this.error = t("mcp.field.pairs.wrong");
      return;
    }
    const name = this.server === "new" ? read("name").trim() : (this.server?.name ?? "");
    if (this.server === "new" ? this.taken.includes(name) : !this.taken.includes(name)) {
      this.error = t(this.server === "new" ? "mcp.field.name.taken" : "mcp.gone", { name });
      return;
    }
    const given =
      this.transport === "stdio"
        ? {
            command: read("command").trim(),
            args: linesOf(read("args")),
            env,
            permission: read("permission"),
            working_dir: read("working_dir").trim(),
            package: read("package").trim(),
          }
        : { url: read("url").trim(), headers };
    const server = {
      ...this.settings,
      ...given,
      transport: this.transport,
      description: read("description"),
      enabled: fields.has("enabled"),
    };
    this.busy = true;
    this.error = "";
    try {
      await call("mcp.add", { name, server });
      this.dispatchEvent(new Event("saved"));
    } catch (error) {
      this.error = (error as Error).message;
    }
    this.busy = false;
  }

  private close(): void {
    this.dispatchEvent(new Event("close"));
  }
}

interface TextOptions {
  readonly required?: boolean;
  readonly hint?: string;
  readonly type?: string;
}

function text(
  name: string,
  label: string,
  value: string,
  { required = false, hint = "", type = "text" }: TextOptions = {},
): unknown {
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <input id=${name} name=${name} type=${type} .value=${value} ?required=${required} maxlength="4000" autocomplete="off" spellcheck="false" aria-describedby="${name}-hint" />
    <span class="hint" id="${name}-hint">${hint}</span>
  </div>`;
}

function lines(name: string, label: string, value: string, hint: string): unknown {
  return html`<div class="field">
    <label for=${name}>${label}</label>
    <textarea id=${name} name=${name} rows="3" class="mono" .value=${value} spellcheck="false" aria-describedby="${name}-hint"></textarea>
    <span class="hint" id="${name}-hint">${hint}</span>
  </div>`;
}

function program({ command, args, env, permission, working_dir, package: pack }: Settings): unknown {
  return html`${text("command", t("mcp.field.command"), command, { required: true, hint: t("mcp.field.command.hint") })}
    ${lines("args", t("mcp.field.args"), args.join("\n"), t("mcp.field.args.hint"))}
    ${lines("env", t("mcp.field.env"), pairsText(env), t("mcp.field.pairs.hint"))}
    <div class="field">
      <label for="permission">${t("mcp.field.permission")}</label>
      <select id="permission" name="permission">
        <option value="workspace" ?selected=${permission !== "full"}>${t("mcp.field.permission.workspace")}</option>
        <option value="full" ?selected=${permission === "full"}>${t("mcp.field.permission.full")}</option>
      </select>
    </div>
    ${text("working_dir", t("mcp.field.folder"), working_dir)}
    ${text("package", t("mcp.field.package"), pack, { hint: t("mcp.field.package.hint") })}`;
}

function remote({ url, headers }: Settings): unknown {
  return html`${text("url", t("mcp.field.url"), url, { required: true, type: "url" })}
    ${lines("headers", t("mcp.field.headers"), pairsText(headers), t("mcp.field.pairs.hint"))}`;
}
