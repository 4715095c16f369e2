/** Help while somebody types: completions, what a key means, and chips in place of marks that nobody has to read. */
import { type Completion, type CompletionResult, pickedCompletion } from "@codemirror/autocomplete";
import { EditorState, type Extension } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  hoverTooltip,
  MatchDecorator,
  type Tooltip,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from "@codemirror/view";
import type { EditorAssist, EditorCompletion, EditorSpan } from "./editor.ts";
import { plain } from "./plain.ts";

/** Asks the holder each time: what is known may be loaded later than the text. */
export function assisting(holder: { readonly assist: EditorAssist }): Extension {
  const autocomplete = ({ state, pos, explicit }: { state: EditorState; pos: number; explicit: boolean }) =>
    completions(holder.assist.complete?.(state.doc.toString(), pos, explicit));
  return [
    EditorState.languageData.of(() => [{ autocomplete }]),
    hoverTooltip(({ state }, at) => described(holder.assist.describe?.(state.doc.toString(), at))),
    holder.assist.chip ? chips(holder.assist.chip) : [],
  ];
}

function completions(found: ReturnType<NonNullable<EditorAssist["complete"]>>): CompletionResult | null {
  if (!found || found.options.length === 0) return null;
  const { from, to } = found;
  return { from, to, filter: false, options: found.options.map(completion) };
}

function completion({
  label,
  kind,
  insert = label,
  caret = insert.length,
  detail,
  about,
}: EditorCompletion): Completion {
  return {
    label,
    type: kind,
    ...(detail !== undefined && { detail }),
    ...(about !== undefined && { info: plain(about) }),
    apply: (view, picked, from, to) =>
      view.dispatch({
        changes: { from, to, insert },
        selection: { anchor: from + caret },
        annotations: pickedCompletion.of(picked),
        userEvent: "input.complete",
        scrollIntoView: true,
      }),
  };
}

function described(found: ReturnType<NonNullable<EditorAssist["describe"]>>): Tooltip | null {
  if (!found) return null;
  return { pos: found.from, end: found.to, above: true, create: () => ({ dom: hint(found.title, found.about) }) };
}

function hint(title: string, about: string): HTMLElement {
  const dom = document.createElement("div");
  const name = document.createElement("code");
  name.textContent = plain(title);
  const text = document.createElement("div");
  text.textContent = plain(about);
  dom.append(name, text);
  return dom;
}

class Chip extends WidgetType {
  readonly #text: string;

  constructor(text: string) {
    super();
    this.#text = text;
  }

  override eq(other: Chip): boolean {
    return other.#text === this.#text;
  }

  override toDOM(view: EditorView): HTMLElement {
    const dom = document.createElement("span");
    dom.className = "cm-chip";
    dom.textContent = this.#text;
    dom.addEventListener("mousedown", (event) => {
      event.preventDefault();
      select(view, view.posAtDOM(dom));
    });
    return dom;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** The whole mark, so that what is typed next takes its place. */
function select(view: EditorView, at: number): void {
  const span = spansAt(view, at);
  view.focus();
  if (span) view.dispatch({ selection: { anchor: span.from, head: span.to } });
}

function spansAt(view: EditorView, at: number): EditorSpan | undefined {
  let found: EditorSpan | undefined;
  for (const set of view.state.facet(EditorView.atomicRanges)) {
    set(view).between(at, at, (from, to) => {
      found = { from, to };
    });
  }
  return found;
}

function chips({ pattern, text }: NonNullable<EditorAssist["chip"]>): Extension {
  const matcher = new MatchDecorator({
    regexp: pattern,
    decoration: () => Decoration.replace({ widget: new Chip(text()) }),
  });
  return ViewPlugin.fromClass(
    class {
      chips: DecorationSet;
      constructor(view: EditorView) {
        this.chips = matcher.createDeco(view);
      }
      update(update: ViewUpdate): void {
        this.chips = matcher.updateDeco(update, this.chips);
      }
    },
    {
      decorations: ({ chips }) => chips,
      provide: (plugin) => EditorView.atomicRanges.of((view) => view.plugin(plugin)?.chips ?? Decoration.none),
    },
  );
}
