/** Controls of single values: words, numbers, switches, choices, secrets, and JSON where nothing else suits. */
import { html, nothing } from "lit";
import { ifDefined } from "lit/directives/if-defined.js";
import { live } from "lit/directives/live.js";
import { t } from "../../i18n/locale.ts";
import { access, type Field, frame, type Port, shown } from "./field.ts";
import { choicesOf, type Schema, suggestionsOf, textOf } from "./schema.ts";
import { isSame, mark } from "./values.ts";

/** More than this is not for a text field of a form. */
const longestJson = 100_000;
const long = 120;

export function textField(port: Port, field: Field): unknown {
  const { schema, value, fallback, isItem } = field;
  const { id, label, described, invalid } = access(port, field);
  const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  const placeholder = isItem
    ? ""
    : value === ""
      ? t("form.empty")
      : fallback === undefined || fallback === ""
        ? ""
        : shown(fallback);
  const typed = (event: Event) => {
    const now = (event.target as HTMLInputElement).value;
    field.set(now === "" && !isItem && (fallback ?? "") === "" ? undefined : now);
  };
  const { maxLength } = textOf(schema) ?? schema;
  if (isLong(field))
    return frame(
      port,
      field,
      html`<textarea id=${id} rows="4" aria-label=${label} aria-describedby=${described} aria-invalid=${invalid} placeholder=${placeholder}
        ?disabled=${port.disabled} .value=${live(text)} @input=${typed}></textarea>`,
    );
  const words = suggestionsOf(schema);
  return frame(
    port,
    field,
    html`<input id=${id} list=${words.length > 0 ? `${id}.list` : nothing} aria-label=${label} aria-describedby=${described} aria-invalid=${invalid}
        placeholder=${placeholder} maxlength=${ifDefined(maxLength)} autocomplete="off" spellcheck="false" ?disabled=${port.disabled}
        .value=${live(text)} @input=${typed} />
      ${words.length > 0 ? html`<datalist id="${id}.list">${words.map((word) => html`<option value=${word}></option>`)}</datalist>` : ""}`,
  );
}

function isLong({ schema, value, fallback }: Field): boolean {
  const texts = [value, fallback, schema.default].filter((text) => typeof text === "string");
  return texts.some((text) => text.length > long || text.includes("\n"));
}

export function numberField(port: Port, field: Field): unknown {
  const { keys, value, fallback, isItem } = field;
  const { id, label, described, invalid } = access(port, field);
  const noted = port.note("text", keys);
  const isLeft = noted !== undefined && (port.note("wrong", keys) !== undefined || Number(noted) === value);
  const text = isLeft ? noted : value === undefined ? "" : String(value);
  const typed = (event: Event) => {
    const now = (event.target as HTMLInputElement).value.trim();
    const number = Number(now);
    const isNumber = now !== "" && Number.isFinite(number);
    const isWrong = !isNumber && (now !== "" || isItem === true);
    port.keepNote("text", keys, now === "" && !isWrong ? undefined : (event.target as HTMLInputElement).value);
    port.keepNote("wrong", keys, isWrong ? t("form.rule.number") : undefined);
    if (isNumber) field.set(number);
    else if (now === "" && !isItem) field.set(undefined);
  };
  return frame(
    port,
    field,
    html`<input id=${id} class="short" inputmode="decimal" aria-label=${label} aria-describedby=${described} aria-invalid=${invalid}
      placeholder=${fallback === undefined ? "" : String(fallback)} autocomplete="off" ?disabled=${port.disabled} .value=${live(text)} @input=${typed} />`,
  );
}

/** The name of a variable where no text may stand: shown as it is until it is taken away. */
export function referenceField(port: Port, field: Field): unknown {
  const { id, label, described } = access(port, field);
  return frame(
    port,
    field,
    html`<input id=${id} class="short" readonly aria-label=${label} aria-describedby=${described} .value=${String(field.value)} />`,
  );
}

export function booleanField(port: Port, field: Field): unknown {
  const { value, fallback } = field;
  const { id, label, described, invalid } = access(port, field);
  const isOn = (value ?? fallback) === true;
  return frame(
    port,
    field,
    html`<span class="check"><input id=${id} type="checkbox" aria-label=${label} aria-describedby=${described} aria-invalid=${invalid} ?disabled=${port.disabled}
      .checked=${live(isOn)} @change=${(event: Event) => field.set((event.target as HTMLInputElement).checked)} />
      <span class="muted small" aria-hidden="true">${isOn ? t("ui.on") : t("ui.off")}${value === undefined ? ` (${t("form.default")})` : ""}</span></span>`,
  );
}

export function choiceField(port: Port, field: Field): unknown {
  const { schema, value, fallback, isItem } = field;
  const { id, label, described, invalid } = access(port, field);
  const known = choicesOf(schema) ?? [];
  const isKnown = value === undefined || known.some((choice) => isSame(choice, value));
  const choices = isKnown ? known : [...known, value];
  const chosen = value === undefined ? "" : String(choices.findIndex((choice) => isSame(choice, value)));
  const choose = (event: Event) => {
    const at = (event.target as HTMLSelectElement).value;
    field.set(at === "" ? undefined : choices[Number(at)]);
  };
  return frame(
    port,
    field,
    html`<select id=${id} class="short" aria-label=${label} aria-describedby=${described} aria-invalid=${invalid} ?disabled=${port.disabled} @change=${choose}>
      ${isItem ? "" : html`<option value="" ?selected=${chosen === ""}>${fallback === undefined ? t("form.unset") : t("form.defaultIs", { value: shown(fallback) })}</option>`}
      ${choices.map((choice, index) => html`<option value=${index} ?selected=${String(index) === chosen}>${typeof choice === "string" && choice !== "" ? choice : shown(choice)}</option>`)}
    </select>`,
  );
}

/** What is stored is never here: the gateway shows a mark, and takes it as "keep". */
export function secretField(port: Port, field: Field): unknown {
  const { keys, schema, value, fallback } = field;
  const { id, label, described, invalid } = access(port, field);
  const was = port.was(keys);
  const typedNow = value === mark || (typeof value !== "string" && typeof value !== "number") ? "" : String(value);
  const isVisible = port.note("visible", keys) !== undefined;
  const isCleared = was === mark && value === undefined;
  const typed = (event: Event) =>
    field.set(secretOf(schema, (event.target as HTMLInputElement).value) ?? was ?? (field.isItem ? "" : undefined));
  return frame(
    port,
    field,
    html`<div class="with">
      <input id=${id} type=${isVisible ? "text" : "password"} aria-label=${label} aria-describedby=${described} aria-invalid=${invalid} placeholder=${secretState(value, fallback, isCleared)}
        autocomplete="new-password" autocapitalize="off" spellcheck="false" ?disabled=${port.disabled} .value=${live(typedNow)} @input=${typed} />
      ${typedNow === "" ? "" : html`<button type="button" aria-pressed=${isVisible} @click=${() => port.keepNote("visible", keys, isVisible ? undefined : "yes")}>${isVisible ? t("form.secret.hide") : t("form.secret.show")}</button>`}
      ${value === mark && !field.isItem ? html`<button type="button" ?disabled=${port.disabled} @click=${() => field.set(undefined)}>${t("form.secret.clear")}</button>` : ""}
      ${was === mark && value !== mark ? html`<button type="button" @click=${() => field.set(mark)}>${t("form.secret.keep")}</button>` : ""}
    </div>`,
  );
}

/** A secret may be a number. */
function secretOf({ type }: Schema, text: string): string | number | undefined {
  const isNumber = (type === "integer" || type === "number") && text.trim() !== "" && Number.isFinite(Number(text));
  return isNumber ? Number(text) : text || undefined;
}

function secretState(value: unknown, fallback: unknown, isCleared: boolean): string {
  if (value === mark) return t("form.secret.stored");
  if (isCleared) return t("form.secret.cleared");
  return fallback === mark ? t("form.secret.elsewhere") : t("form.secret.none");
}

export function jsonField(port: Port, field: Field): unknown {
  const { keys, value, fallback, isItem } = field;
  const { id, label, described, invalid } = access(port, field);
  const stored = value === undefined ? "" : JSON.stringify(value, null, 2);
  if (stored.length > longestJson) return frame(port, field, html`<p class="notice" id=${id}>${t("form.tooLong")}</p>`);
  const noted = port.note("text", keys);
  const isLeft = noted !== undefined && (port.note("wrong", keys) !== undefined || isSame(parsed(noted)?.value, value));
  const text = isLeft ? noted : stored;
  const typed = (event: Event) => {
    const now = (event.target as HTMLTextAreaElement).value;
    const read = now.trim() === "" ? { value: undefined } : parsed(now);
    const isWrong = read === undefined || (read.value === undefined && isItem === true);
    port.keepNote("text", keys, now);
    port.keepNote("wrong", keys, isWrong ? t("form.rule.json") : undefined);
    if (read !== undefined && !isWrong) field.set(read.value);
  };
  return frame(
    port,
    field,
    html`<textarea id=${id} class="mono" rows=${Math.min(12, Math.max(2, text.split("\n").length))} aria-label=${label} aria-describedby=${described} aria-invalid=${invalid}
      placeholder=${fallback === undefined ? "JSON" : shown(fallback)} spellcheck="false" ?disabled=${port.disabled} .value=${live(text)} @input=${typed}></textarea>`,
  );
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
