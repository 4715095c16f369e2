/** Lists: items that are added, taken away and moved; a long one shows its beginning first. */
import { html } from "lit";
import { t } from "../../i18n/locale.ts";
import { short } from "../plain.ts";
import { controlId, errors, type Field, hint, marks, type Port } from "./field.ts";
import { kindOf, merged, type Schema, startOf } from "./schema.ts";
import { hasMark, labelOf } from "./values.ts";

const atFirst = 50;

export function listField(port: Port, field: Field): unknown {
  const { schema, value, fallback } = field;
  const items = Array.isArray(value) ? value : [];
  const isInherited = value === undefined && Array.isArray(fallback) && fallback.length > 0;
  const id = controlId(field);
  const name = html`<span class="name" id="${id}.name">${short(field.label)}</span>`;
  return html`<div class="field" role="group" aria-labelledby="${id}.name">
    ${field.isBare ? html`<span class="visually-hidden" id="${id}.name">${field.label}</span>` : html`<div class="head">${name}${marks(port, field)}</div>${hint(field)}`}
    ${isInherited ? inherited(port, field, fallback) : rows(port, field, items)}
    <div class="row">
      <button type="button" class="small" id=${id} ?disabled=${port.disabled || items.length >= (schema.maxItems ?? Number.POSITIVE_INFINITY)}
        @click=${() => add(port, field, isInherited ? fallback : items)}><ui-icon name="plus"></ui-icon>${t("form.addTo", { key: short(field.label, 60) })}</button>
    </div>
    ${errors(port, field)}
  </div>`;
}

/** The default as it is, until somebody changes it. */
function inherited(port: Port, field: Field, items: readonly unknown[]): unknown {
  return html`<div class="row"><span class="muted mono wrap">${t("form.defaultIs", { value: short(JSON.stringify(items), 300) })}</span>
    <button type="button" class="small" ?disabled=${port.disabled} @click=${() => field.set([...items])}>${t("ui.edit")}</button></div>`;
}

function rows(port: Port, field: Field, items: readonly unknown[]): unknown {
  const { keys } = field;
  if (items.length === 0) return html`<p class="muted small">${t("form.none")}</p>`;
  const isWhole = port.note("all", keys) !== undefined;
  const seen = isWhole ? items : items.slice(0, atFirst);
  // Without a name the gateway finds the secret of an item by its place alone.
  const isFixed = items.some((item) => hasMark(item) && labelOf(item) === undefined);
  return html`<ol class="items">${seen.map((item, index) => row(port, field, { items, item, index, isFixed }))}</ol>
    ${seen.length < items.length ? html`<button type="button" class="small" @click=${() => port.keepNote("all", keys, "yes")}>${t("form.showAll", { n: items.length })}</button>` : ""}`;
}

interface Row {
  readonly items: readonly unknown[];
  readonly item: unknown;
  readonly index: number;
  readonly isFixed: boolean;
}

function row(port: Port, field: Field, { items, item, index, isFixed }: Row): unknown {
  const { keys, schema, label } = field;
  const change = (next: readonly unknown[]) => {
    port.forget(keys);
    field.set(next);
  };
  const name = `${label} ${index + 1}`;
  const title = labelOf(item);
  const child: Field = {
    keys: [...keys, String(index)],
    schema: merged(schema.items as Schema),
    value: item,
    fallback: undefined,
    label: title === undefined ? name : `${index + 1}: ${title}`,
    isItem: true,
    isBare: kindOf(schema.items as Schema) !== "object",
    set: (value) => field.set(items.with(index, value)),
  };
  return html`<li>
    <div class="grow">${port.show(child)}</div>
    ${button(port, { icon: "chevron-up", text: t("form.up", { key: name }), off: isFixed || index === 0, run: () => change(moved(items, index, -1)) })}
    ${button(port, { icon: "chevron-down", text: t("form.down", { key: name }), off: isFixed || index === items.length - 1, run: () => change(moved(items, index, 1)) })}
    ${button(port, { icon: "x", text: t("form.remove", { key: name }), off: false, run: () => change(items.toSpliced(index, 1)) })}
  </li>`;
}

function moved(items: readonly unknown[], index: number, step: number): readonly unknown[] {
  return items.with(index, items[index + step]).with(index + step, items[index]);
}

interface Action {
  readonly icon: string;
  readonly text: string;
  readonly off: boolean;
  run(): void;
}

export function button(port: Port, { icon, text, off, run }: Action): unknown {
  return html`<button type="button" class="small icon plain" title=${text} aria-label=${text} ?disabled=${off || port.disabled} @click=${run}><ui-icon name=${icon}></ui-icon></button>`;
}

function add(port: Port, field: Field, items: readonly unknown[]): void {
  if (items.length >= atFirst) port.keepNote("all", field.keys, "yes");
  port.open([...field.keys, String(items.length)], true);
  field.set([...items, startOf(merged(field.schema.items as Schema))]);
}
