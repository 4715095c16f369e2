/** Objects as sections, with keys of one's own choice where the schema has room for them, and unions of shapes. */
import { html } from "lit";
import { live } from "lit/directives/live.js";
import { t } from "../../i18n/locale.ts";
import { short } from "../plain.ts";
import { nearestShape } from "./check.ts";
import { access, badges, canReset, errors, type Field, frame, hint, idOf, type Port, reset } from "./field.ts";
import { button } from "./list-fields.ts";
import {
  fits,
  freeSchema,
  kindOf,
  type Member,
  membersOf,
  merged,
  type Schema,
  startOf,
  variantsOf,
  wholeOf,
} from "./schema.ts";
import { isObject, own, type PlainObject, withMember } from "./values.ts";

const longestKey = 128;
const fewMembers = 5;
const atFirst = 50;

/** A section that opens; what is in it is made when it is open. */
export function objectField(port: Port, field: Field): unknown {
  const { keys, schema, value, isItem } = field;
  const size = membersOf(schema, value).length;
  const byDefault = !isItem && keys.length === 1 && size > 0 && size <= fewMembers;
  const isOpen = port.isOpen(keys, byDefault);
  const toggled = (event: Event) => port.open(keys, (event.target as HTMLDetailsElement).open);
  return html`<details class="group" ?open=${isOpen} @toggle=${toggled}>
    <summary><span class="name">${short(field.label)}</span>${badges(port, field)}${hint(field)}</summary>
    ${isOpen ? html`<div class="body">${members(port, field)}${errors(port, field)}${canReset(port, field) ? resetAll(port, field) : ""}</div>` : ""}
  </details>`;
}

/** A button inside of the summary could not be told from the summary. */
function resetAll(port: Port, field: Field): unknown {
  return html`<p><button type="button" class="small" @click=${() => reset(port, field)}><ui-icon name="rotate-ccw"></ui-icon>
    ${t("form.reset", { key: short(field.label, 60) })}</button></p>`;
}

/** What is in an object, one field after the other. */
export function members(port: Port, field: Field): unknown {
  const { keys, schema, value, fallback } = field;
  const all = membersOf(schema, value);
  const isWhole = port.note("all", keys) !== undefined;
  const seen = isWhole ? all : all.slice(0, Math.max(atFirst, Object.keys(schema.properties ?? {}).length));
  const inherited = Object.keys(isObject(fallback) ? fallback : {}).filter(
    (key) => !all.some((member) => member.key === key),
  );
  return html`${seen.map((member) => memberRow(port, field, member))}
    ${seen.length < all.length ? html`<button type="button" class="small" @click=${() => port.keepNote("all", keys, "yes")}>${t("form.showAll", { n: all.length })}</button>` : ""}
    ${inherited.length > 0 && value === undefined ? html`<p class="muted small wrap">${t("form.defaultIs", { value: short(JSON.stringify(fallback), 300) })}</p>` : ""}
    ${freeSchema(schema) === undefined ? "" : newKey(port, field)}`;
}

function memberRow(port: Port, field: Field, member: Member): unknown {
  const child = memberField(port, field, member);
  if (!member.isFree) return port.show(child);
  const text = t("form.remove", { key: short(member.key, 60) });
  const remove = () => {
    port.forget(child.keys);
    child.set(undefined);
  };
  return html`<div class="free"><div class="grow">${port.show(child)}</div>${button(port, { icon: "x", text, off: false, run: remove })}</div>`;
}

function memberField(port: Port, field: Field, { key, schema, isFree, isRequired }: Member): Field {
  const keys = [...field.keys, key];
  const was = port.was(keys);
  const applies = was === undefined || isObject(was) ? own(field.fallback, key) : undefined;
  return {
    keys,
    schema: merged(schema),
    value: own(field.value, key),
    fallback: applies ?? schema.default,
    label: schema.title ?? key,
    isRequired,
    isItem: isFree,
    set: (value) => field.set(put(port, field, key, value)),
  };
}

/** An object that nobody wrote goes again with its last member. */
function put(port: Port, { keys, value, isItem }: Field, key: string, wanted: unknown): PlainObject | undefined {
  const next = withMember(isObject(value) ? value : {}, key, wanted);
  const goes = Object.keys(next).length === 0 && !isItem && keys.length > 0 && port.was(keys) === undefined;
  return goes ? undefined : next;
}

function newKey(port: Port, field: Field): unknown {
  const { keys, schema, value } = field;
  const name = port.note("key", keys) ?? "";
  const problem = name === "" ? "" : keyProblem(schema, value, name);
  const id = `${idOf(keys)}.new`;
  const add = () => {
    const key = name.trim();
    if (key === "" || problem !== "") return;
    port.keepNote("key", keys, undefined);
    port.keepNote("all", keys, "yes");
    port.open([...keys, key], true);
    field.set(withMember(isObject(value) ? value : {}, key, startOf(merged(freeSchema(schema, key) ?? {}))));
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    add();
  };
  return html`<div class="field">
    <label for=${id}>${t("form.newKey", { key: short(field.label, 60) })}</label>
    <div class="with"><input id=${id} class="short" maxlength=${longestKey} autocomplete="off" spellcheck="false" ?disabled=${port.disabled} .value=${live(name)}
      aria-invalid=${problem !== ""} aria-describedby="${id}.error" @keydown=${pressed}
      @input=${(event: Event) => port.keepNote("key", keys, (event.target as HTMLInputElement).value)} />
      <button type="button" ?disabled=${port.disabled || name.trim() === "" || problem !== ""} @click=${add}><ui-icon name="plus"></ui-icon>${t("ui.add")}</button></div>
    <span class="error" id="${id}.error">${problem}</span>
  </div>`;
}

function keyProblem(schema: Schema, value: unknown, text: string): string {
  const key = text.trim();
  if (isObject(value) && Object.hasOwn(value, key)) return t("form.key.taken");
  if (Object.hasOwn(schema.properties ?? {}, key) || ["__proto__", "constructor", "prototype"].includes(key))
    return t("form.key.not");
  const patterns = Object.keys(schema.patternProperties ?? {});
  const isFree = isObject(schema.additionalProperties) || patterns.some((pattern) => fits(pattern, key));
  return isFree ? "" : t("form.rule.pattern", { pattern: patterns[0] ?? "" });
}

/** Which of several shapes it has, and then the fields of that shape. */
export function unionField(port: Port, field: Field): unknown {
  const { keys, schema, value, isItem } = field;
  const variants = variantsOf(schema).map(merged);
  const chosen = value === undefined ? -1 : chosenOf(port, field, variants);
  const { id, label, described, invalid } = access(port, field);
  const choose = (event: Event) => {
    const at = Number((event.target as HTMLSelectElement).value);
    const variant = variants[at];
    port.forget(keys);
    port.keepNote("shape", keys, variant === undefined ? undefined : String(at));
    field.set(variant === undefined ? undefined : wholeOf(variant));
  };
  const select = html`<select id=${id} class="short" aria-label=${label} aria-describedby=${described} aria-invalid=${invalid} ?disabled=${port.disabled} @change=${choose}>
    ${isItem ? "" : html`<option value="-1" ?selected=${chosen === -1}>${t("form.unset")}</option>`}
    ${variants.map((variant, index) => html`<option value=${index} ?selected=${index === chosen}>${shapeName(variant)}</option>`)}
  </select>`;
  const variant = variants[chosen];
  const isPlain = variant === undefined || variant.type === "null" || variant.const !== undefined;
  const isQuiet = !isPlain && kindOf(variant) !== "object";
  return html`${frame(port, { ...field, isQuiet }, select)}${isPlain ? "" : html`<div class="shape">${shape(port, field, variant)}</div>`}`;
}

function chosenOf(port: Port, { keys, value }: Field, variants: readonly Schema[]): number {
  const noted = port.note("shape", keys);
  return noted === undefined ? nearestShape(variants, value) : Number(noted);
}

/** The shape at the same place; its name stands above it already. */
function shape(port: Port, field: Field, schema: Schema): unknown {
  const inner = { ...field, schema, isItem: true, isBare: true };
  return kindOf(schema) === "object" ? members(port, inner) : port.show(inner);
}

function shapeName(schema: Schema): string {
  if (schema.title) return short(schema.title, 60);
  if (schema.const !== undefined) return short(String(schema.const), 60);
  if (schema.type === undefined) return "JSON";
  const known = ["string", "number", "integer", "boolean", "array", "object", "null"] as const;
  const type = known.find((name) => name === schema.type);
  const keys = Object.keys(schema.properties ?? {});
  if (type === undefined) return "JSON";
  return keys.length > 0 ? `${t(`form.type.${type}`)}: ${short(keys.join(", "), 50)}` : t(`form.type.${type}`);
}
