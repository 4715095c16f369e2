/** One place of the form: what is there, what it may be, and the frame around its control. */
import { html, nothing } from "lit";
import { t, told } from "../../i18n/locale.ts";
import { short } from "../plain.ts";
import type { Schema } from "./schema.ts";
import { isObject, type Keys, mark } from "./values.ts";

export interface Field {
  /** From the root of the form. */
  readonly keys: Keys;
  readonly schema: Schema;
  /** Undefined: it is not set, and `fallback` applies. */
  readonly value: unknown;
  readonly fallback: unknown;
  readonly label: string;
  readonly isRequired?: boolean;
  /** An item of a list or a key of one's own choice: it stays there without a value of its own. */
  readonly isItem?: boolean;
  /** Only the control: its label is read, and not seen. */
  readonly isBare?: boolean;
  /** What is wrong with it is said by what stands inside of it, at the same place. */
  readonly isQuiet?: boolean;
  set(value: unknown): void;
}

export type Effect = "hot" | "plugin" | "gateway";

/** What a field asks of the form around it. */
export interface Port {
  readonly disabled: boolean;
  show(field: Field): unknown;
  problems(keys: Keys): readonly string[];
  /** What a change of this key takes, where it is not said further up already. */
  effect(keys: Keys): Effect | undefined;
  /** The variable of the environment that decides this key, whatever is set here. */
  variable(keys: Keys): string | undefined;
  /** What the gateway has there now. */
  was(keys: Keys): unknown;
  isChanged(keys: Keys): boolean;
  isOpen(keys: Keys, byDefault: boolean): boolean;
  open(keys: Keys, isOpen: boolean): void;
  /** What the person typed where that is no value yet, and other things that only the eye needs. */
  note(name: string, keys: Keys): string | undefined;
  keepNote(name: string, keys: Keys, text: string | undefined): void;
  /** Forgets the notes below: the items there have new places. */
  forget(keys: Keys): void;
}

export function idOf(keys: Keys): string {
  return `f/${keys.map(encodeURIComponent).join("/")}`;
}

/** Inside of a choice of shapes there are two controls at one place. */
export function controlId({ keys, isBare }: Field): string {
  return isBare ? `${idOf(keys)}.bare` : idOf(keys);
}

/** The label, what is known of the key, the control, and what is wrong with it. */
export function frame(port: Port, field: Field, control: unknown): unknown {
  if (field.isBare) return html`${control}${errors(port, field)}`;
  return html`<div class="field">
    <div class="head"><label for=${idOf(field.keys)}>${short(field.label)}</label>${marks(port, field)}</div>
    ${control}${hint(field)}${field.isQuiet ? "" : errors(port, field)}
  </div>`;
}

/** Badges, and the way back to the default. */
export function marks(port: Port, field: Field): unknown {
  const text = t("form.reset", { key: short(field.label, 60) });
  return html`${badges(port, field)}
    ${canReset(port, field) ? html`<button type="button" class="small icon plain" title=${text} aria-label=${text} @click=${() => reset(port, field)}><ui-icon name="rotate-ccw"></ui-icon></button>` : ""}`;
}

export function badges(port: Port, { keys, isRequired }: Field): unknown {
  const effect = port.effect(keys);
  const name = port.variable(keys);
  return html`${name ? html`<span class="badge warn">${t("form.variable", { name })}</span>` : ""}
    ${isRequired ? html`<span class="badge">${t("form.needed")}</span>` : ""}
    ${effect ? html`<span class="badge ${effect === "hot" ? "ok" : "warn"}">${t(`form.effect.${effect}`)}</span>` : ""}
    ${port.isChanged(keys) ? html`<span class="badge info">${t("form.changed")}</span>` : ""}`;
}

export function canReset(port: Port, { value, isItem, isRequired }: Field): boolean {
  return value !== undefined && !isItem && !isRequired && !port.disabled;
}

export function reset(port: Port, { keys, set }: Field): void {
  port.forget(keys);
  set(undefined);
}

export function hint({ keys, schema }: Field): unknown {
  const parts = [schema.description ? short(told(schema.description), 600) : "", bounds(schema)].filter(
    (part) => part !== "",
  );
  return parts.length > 0 ? html`<span class="hint" id="${idOf(keys)}.hint">${withCode(parts.join(" · "))}</span>` : "";
}

/** What stands between backquotes is code. */
function withCode(text: string): unknown {
  return text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}

/** What lies just inside of an open bound only whole numbers know. */
function bounds({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const step = type === "integer" ? 1 : Number.NaN;
  const [above, below] = [(exclusiveMinimum ?? Number.NaN) + step, (exclusiveMaximum ?? Number.NaN) - step];
  const low = minimum ?? (Number.isNaN(above) ? undefined : above);
  const high = maximum ?? (Number.isNaN(below) ? undefined : below);
  if (low !== undefined && high !== undefined) return t("form.range", { low, high });
  if (low !== undefined) return t("form.from", { low });
  return high !== undefined ? t("form.upTo", { high }) : "";
}

export function errors(port: Port, { keys }: Field): unknown {
  const found = port.problems(keys);
  return found.length > 0 ? html`<span class="error" id="${idOf(keys)}.error">${found.join(" ")}</span>` : "";
}

/** The attributes that every control shares. */
export function access(port: Port, field: Field) {
  const { keys, label, schema, isBare } = field;
  const isWrong = port.problems(keys).length > 0;
  const described = [
    ...(schema.description || bounds(schema) !== "" ? (isBare ? [] : [`${idOf(keys)}.hint`]) : []),
    ...(isWrong ? [`${idOf(keys)}.error`] : []),
  ];
  return {
    id: controlId(field),
    label: isBare ? label : nothing,
    described: described.length > 0 ? described.join(" ") : nothing,
    invalid: isWrong ? "true" : nothing,
  };
}

/** A value in a few words: what applies while nothing is set. */
export function shown(value: unknown): string {
  if (value === mark) return t("form.secret.stored");
  if (typeof value === "boolean") return value ? t("ui.on") : t("ui.off");
  if (value === "") return t("form.empty");
  if (value === undefined) return t("form.unset");
  if (Array.isArray(value)) return value.length === 0 ? t("form.none") : short(JSON.stringify(value), 120);
  return isObject(value) ? short(JSON.stringify(value), 120) : short(String(value), 120);
}
