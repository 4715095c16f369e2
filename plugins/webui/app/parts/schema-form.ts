/**
 * `<ui-schema-form>`: a form for one section of the config, made from its JSON Schema. It asks the gateway nothing and writes
 * nothing. In: `schema`; `value`, what the file has at `path` (secrets as marks, undefined: nothing); `effective`, what applies
 * there with defaults; `hot`, the section's hot keys; `restarts`, what every other key restarts; `overrides`, variables that decide
 * keys, by path; `errors`, sentences of the gateway that begin with a path. Out: the event `change`, then `edits` (dotted paths; without a value the key goes) and `wrong`, how
 * many values are not right yet. A new `value` keeps what was typed; `reset()` forgets it.
 * `<ui-settings-form>` is this form with its way to the gateway.
 */
import { css, html, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { languages, t } from "../i18n/locale.ts";
import "./icon.ts";
import { Part } from "./part.ts";
import { plain } from "./plain.ts";
import { check } from "./schema-form/check.ts";
import { heatOf } from "./schema-form/effects.ts";
import { type Effect, type Field, idOf, type Port } from "./schema-form/field.ts";
import { members, objectField, unionField } from "./schema-form/group-fields.ts";
import { listField } from "./schema-form/list-fields.ts";
import { Notes } from "./schema-form/notes.ts";
import {
  booleanField,
  choiceField,
  jsonField,
  numberField,
  referenceField,
  secretField,
  textField,
} from "./schema-form/scalar-fields.ts";
import { type Kind, kindOf, merged, type Schema } from "./schema-form/schema.ts";
import { formStyles } from "./schema-form/styles.ts";
import {
  at,
  configPath,
  type Edit,
  edited,
  editsBetween,
  isReference,
  isSame,
  type Keys,
} from "./schema-form/values.ts";

const makers: Readonly<Record<Kind, (port: Port, field: Field) => unknown>> = {
  boolean: booleanField,
  number: numberField,
  choice: choiceField,
  secret: secretField,
  text: textField,
  list: listField,
  object: objectField,
  union: unionField,
  json: jsonField,
};

@customElement("ui-schema-form")
export class SchemaForm extends Part implements Port {
  static override styles = [...Part.styles, formStyles, css`:host { max-width: 52rem; }`];

  @property({ attribute: false }) schema: Schema = {};
  @property({ attribute: false }) value: unknown;
  @property({ attribute: false }) effective: unknown;
  @property({ attribute: false }) hot: readonly string[] = [];
  @property({ attribute: false }) errors: readonly string[] = [];
  @property({ attribute: false }) overrides: Readonly<Record<string, string>> = {};
  /** Dotted, of the section. */
  @property() path = "";
  @property() restarts: "plugin" | "gateway" = "plugin";
  @property({ type: Boolean }) disabled = false;
  @state() private draft: unknown;
  @state() private wordsThere = false;
  readonly #notes = new Notes();
  readonly #problems = new Map<string, readonly string[]>();

  override connectedCallback(): void {
    super.connectedCallback();
    void Promise.all([languages.load("form"), languages.load("settings")]).then(() => {
      this.wordsThere = true;
    });
  }

  /** What has to be written so that the config is what the form shows. */
  get edits(): readonly Edit[] {
    return editsBetween(this.value, this.draft).map(({ keys, value }) => {
      const path = this.pathOf(keys);
      return value === undefined ? { path } : { path, value };
    });
  }

  get wrong(): number {
    return check(merged(this.schema), this.draft).length + this.#notes.count("wrong");
  }

  /** Back to what the gateway has. */
  reset(): void {
    this.#notes.forget([]);
    this.draft = this.value;
    this.tell();
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has("value")) this.draft = edited(this.value, editsBetween(changed.get("value"), this.draft));
    this.#problems.clear();
    for (const { keys, rule, values } of check(merged(this.schema), this.draft))
      this.#problems.set(idOf(keys), [...(this.#problems.get(idOf(keys)) ?? []), t(`form.rule.${rule}`, values)]);
  }

  override updated(changed: PropertyValues): void {
    if (changed.has("value") && changed.get("value") !== undefined) this.tell();
  }

  override render() {
    if (!this.wordsThere) return html`<p class="muted" role="status">${t("app.loading")}</p>`;
    const root = this.root();
    const isSection = kindOf(root.schema) === "object";
    const isEmpty = isSection && Object.keys({ ...root.schema.properties, ...Object(this.draft) }).length === 0;
    if (isEmpty && !root.schema.patternProperties) return html`<p class="muted">${t("form.nothing")}</p>`;
    const heat = heatOf(this.hot, []);
    return html`${heat === "mixed" ? "" : html`<p class="hint">${t(`form.all.${heat === "hot" ? "hot" : this.restarts}`)}</p>`}
      ${isSection ? members(this, root) : this.show(root)}`;
  }

  private root(): Field {
    return {
      keys: [],
      schema: merged(this.schema),
      value: this.draft,
      fallback: this.effective,
      label: this.path,
      set: (value) => {
        this.draft = value;
        this.tell();
      },
    };
  }

  private tell(): void {
    this.requestUpdate();
    this.dispatchEvent(new Event("change"));
  }

  private pathOf(keys: Keys): string {
    const below = configPath(keys);
    return this.path === "" || below === "" || below.startsWith("[") ? this.path + below : `${this.path}.${below}`;
  }

  show(field: Field): unknown {
    const kind = kindOf(field.schema);
    const isText = kind !== "boolean" && kind !== "number" && kind !== "choice";
    return (isReference(field.value) && !isText ? referenceField : makers[kind])(this, field);
  }

  problems(keys: Keys): readonly string[] {
    const own = this.#problems.get(idOf(keys)) ?? [];
    const start = `${this.pathOf(keys)} `;
    const told = this.errors
      .filter((error) => error.startsWith(start))
      .map((error) => plain(error.slice(start.length)));
    const typed = this.#notes.get("wrong", keys);
    return [...(typed === undefined ? own : [typed]), ...told];
  }

  effect(keys: Keys): Effect | undefined {
    const heat = heatOf(this.hot, keys);
    const isSaidAbove = heatOf(this.hot, keys.slice(0, -1)) !== "mixed";
    if (isSaidAbove || heat === "mixed") return undefined;
    return heat === "hot" ? "hot" : this.restarts;
  }

  variable(keys: Keys): string | undefined {
    const path = this.pathOf(keys);
    return Object.hasOwn(this.overrides, path) ? this.overrides[path] : undefined;
  }

  was(keys: Keys): unknown {
    return at(this.value, keys);
  }

  isChanged(keys: Keys): boolean {
    return !isSame(at(this.value, keys), at(this.draft, keys));
  }

  /** A section with something wrong in it opens by itself. */
  isOpen(keys: Keys, byDefault: boolean): boolean {
    const noted = this.#notes.get("open", keys);
    if (noted !== undefined) return noted === "yes";
    const path = this.pathOf(keys);
    return byDefault || this.errors.some((error) => error.startsWith(`${path}.`) || error.startsWith(`${path}[`));
  }

  open(keys: Keys, isOpen: boolean): void {
    if (this.isOpen(keys, !isOpen) === isOpen) return;
    this.keepNote("open", keys, isOpen ? "yes" : "no");
  }

  note(name: string, keys: Keys): string | undefined {
    return this.#notes.get(name, keys);
  }

  keepNote(name: string, keys: Keys, text: string | undefined): void {
    this.#notes.keep(name, keys, text);
    if (name === "wrong") this.tell();
    else this.requestUpdate();
  }

  forget(keys: Keys): void {
    this.#notes.forget(keys);
  }
}
