/** How the editor looks: by the tokens of theme.css, so that light and dark need no second theme. */
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "0.86rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)", padding: "0.4rem 0" },
  ".cm-content ::selection": { backgroundColor: "var(--accent-soft)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--text-2)", borderRight: "1px solid var(--border)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--surface-2)", color: "inherit" },
  ".cm-foldGutter span": { cursor: "pointer", padding: "0 0.2rem" },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--surface-3)",
    color: "var(--text)",
    border: "0",
    padding: "0 0.4rem",
  },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--bad-soft)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)", outline: "1px solid var(--warn)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--accent-soft)", outline: "2px solid var(--accent)" },
  ".cm-specialChar": { color: "var(--bad)" },
  ".cm-chip": {
    backgroundColor: "var(--info-soft)",
    color: "var(--info)",
    borderRadius: "99px",
    padding: "0.05rem 0.5rem",
    fontFamily: "var(--font)",
    fontSize: "0.78rem",
    fontWeight: "600",
    cursor: "pointer",
  },
});

const overlays = EditorView.theme({
  ".cm-panels": { backgroundColor: "var(--surface-2)", color: "var(--text)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--border)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--border)" },
  ".cm-panel.cm-search": { padding: "0.4rem 2rem 0.4rem 0.5rem", fontFamily: "var(--font)" },
  ".cm-panel.cm-search label": { fontSize: "0.82rem" },
  ".cm-panel.cm-search input[type=checkbox]": { verticalAlign: "middle" },
  ".cm-panel button[name=close]": { width: "1.8rem", minHeight: "1.8rem" },
  ".cm-textfield": { width: "12rem !important", minHeight: "1.8rem !important", fontSize: "0.85rem !important" },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--surface)",
    border: "1px solid var(--border-strong)",
    borderRadius: "var(--radius-s)",
    color: "var(--text)",
    minHeight: "1.8rem",
    fontSize: "0.82rem",
  },
  ".cm-tooltip": {
    backgroundColor: "var(--surface)",
    color: "var(--text)",
    border: "1px solid var(--border-strong)",
    borderRadius: "var(--radius-s)",
    boxShadow: "var(--shadow)",
    maxWidth: "min(32rem, 90vw)",
  },
  ".cm-tooltip-hover > div": { padding: "0.4rem 0.6rem", fontFamily: "var(--font)", overflowWrap: "anywhere" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "16rem" },
  ".cm-tooltip-autocomplete ul li[role=option]": { padding: "0.2rem 0.6rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-bg)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "inherit", opacity: "0.85", fontStyle: "normal" },
  ".cm-completionInfo": { padding: "0.4rem 0.6rem", fontFamily: "var(--font)", maxWidth: "min(24rem, 80vw)" },
  ".cm-diagnostic": { fontFamily: "var(--font)", overflowWrap: "anywhere" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)" },
});

const words = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--info)" },
  { tag: tags.comment, color: "var(--text-2)", fontStyle: "italic" },
  { tag: tags.heading, fontWeight: "700", color: "var(--accent)" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: [tags.link, tags.url], color: "var(--info)" },
  { tag: tags.monospace, color: "var(--ok)" },
  { tag: [tags.quote, tags.processingInstruction, tags.meta], color: "var(--text-2)" },
]);

export const look: Extension = [theme, overlays, syntaxHighlighting(words)];
