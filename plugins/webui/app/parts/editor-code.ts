/** CodeMirror as `<ui-editor>` uses it. It lives in a shadow root and takes its colours from the tokens; its styles are constructed sheets. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, type Text } from "@codemirror/state";
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import type { EditorAssist, EditorLanguage, EditorProblem } from "./editor.ts";
import { assisting } from "./editor-assist.ts";
import { jsonc } from "./editor-jsonc.ts";
import { markdownText } from "./editor-markdown.ts";
import { phrases } from "./editor-phrases.ts";
import { look } from "./editor-theme.ts";
import { plain } from "./plain.ts";

interface Settings {
  readonly label: string;
  readonly readonly: boolean;
}

interface Shown extends Settings {
  readonly value: string;
  readonly language: EditorLanguage;
  readonly assist: EditorAssist;
}

interface Listeners {
  typed(text: string): void;
  moved(): void;
  save(): void;
}

/** Marks that turn the direction of a line, beyond those that are shown anyway. */
const turns = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

export class CodeEditor {
  readonly #view: EditorView;
  /** CodeMirror knows line feeds only: a text keeps the line ends that it came with. */
  #lineEnd: string;
  readonly #language = new Compartment();
  readonly #settings = new Compartment();
  readonly #words = new Compartment();
  #quiet = false;

  constructor(place: HTMLElement, shown: Shown, listeners: Listeners) {
    this.#lineEnd = lineEndOf(shown.value);
    this.#view = new EditorView({
      parent: place,
      root: place.getRootNode() as ShadowRoot,
      state: EditorState.create({
        doc: shown.value,
        extensions: [
          keymap.of([{ key: "Mod-s", preventDefault: true, run: () => told(listeners.save) }]),
          tools,
          assisting(shown),
          look,
          this.#language.of(languageOf(shown.language)),
          this.#settings.of(settingsOf(shown)),
          this.#words.of(EditorState.phrases.of(phrases())),
          EditorView.updateListener.of(({ docChanged, selectionSet, state }) => {
            if (docChanged && !this.#quiet) listeners.typed(state.doc.toString().replaceAll("\n", this.#lineEnd));
            if (docChanged || selectionSet) listeners.moved();
          }),
        ],
      }),
    });
  }

  get cursor(): number {
    return this.#view.state.selection.main.head;
  }

  /** Only what differs is replaced: the cursor stays, and the change can be undone. */
  set text(given: string) {
    this.#lineEnd = lineEndOf(given);
    const text = given.replace(/\r\n?/g, "\n");
    const now = this.#view.state.doc.toString();
    if (now === text) return;
    const [from, tail] = sameEnds(now, text);
    this.#quiet = true;
    this.#view.dispatch({ changes: { from, to: now.length - tail, insert: text.slice(from, text.length - tail) } });
    this.#quiet = false;
  }

  set language(language: EditorLanguage) {
    this.#view.dispatch({ effects: this.#language.reconfigure(languageOf(language)) });
  }

  set problems(problems: readonly EditorProblem[]) {
    const { doc } = this.#view.state;
    const placed = problems.filter(({ line }) => line !== undefined);
    this.#view.dispatch(
      setDiagnostics(
        this.#view.state,
        placed.map((problem) => diagnosticOf(problem, doc)),
      ),
    );
  }

  settle(settings: Settings): void {
    this.#view.dispatch({ effects: this.#settings.reconfigure(settingsOf(settings)) });
  }

  translate(): void {
    this.#view.dispatch({ effects: this.#words.reconfigure(EditorState.phrases.of(phrases())) });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Ends what it listens to outside of itself. */
  destroy(): void {
    this.#view.destroy();
  }

  reveal(line: number, column: number): void {
    const anchor = offsetOf({ line, column }, this.#view.state.doc);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    this.#view.focus();
  }
}

const tools: Extension = [
  lineNumbers(),
  foldGutter(),
  codeFolding(),
  lintGutter(),
  highlightActiveLineGutter(),
  highlightActiveLine(),
  highlightSpecialChars({ addSpecialChars: turns }),
  history(),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  search({ top: true }),
  autocompletion({ icons: false, activateOnCompletion: ({ type }) => type === "property" }),
  EditorView.lineWrapping,
  keymap.of([
    ...closeBracketsKeymap,
    ...defaultKeymap,
    ...searchKeymap,
    ...historyKeymap,
    ...foldKeymap,
    ...completionKeymap,
    ...lintKeymap,
    indentWithTab,
  ]),
];

function told(save: () => void): boolean {
  save();
  return true;
}

function settingsOf({ label, readonly }: Settings): Extension {
  // Without the number some tools take it for something that the keyboard cannot reach.
  const described = { "aria-label": label, "aria-describedby": "keys", tabindex: "0", spellcheck: "false" };
  return [
    EditorView.contentAttributes.of(described),
    EditorState.readOnly.of(readonly),
    EditorView.editable.of(!readonly),
  ];
}

function languageOf(language: EditorLanguage): Extension {
  return language === "json" ? jsonc : markdownText;
}

function diagnosticOf({ message, level, line = 1, column = 1 }: EditorProblem, doc: Text): Diagnostic {
  const from = offsetOf({ line, column }, doc);
  const rest = doc.lineAt(from).text.slice(from - doc.lineAt(from).from);
  const token = /^(?:"(?:[^"\\]|\\.)*"?|[^\s,:{}[\]"]+|.)/.exec(rest)?.[0] ?? "";
  return { from, to: from + token.length, severity: level, message: plain(message) };
}

function offsetOf({ line, column }: { readonly line: number; readonly column: number }, doc: Text): number {
  const { from, to } = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(from + Math.max(0, column - 1), to);
}

function lineEndOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** How much is the same at both ends. */
function sameEnds(a: string, b: string): readonly [number, number] {
  const most = Math.min(a.length, b.length);
  let start = 0;
  while (start < most && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return [start, end];
}
