/** Markdown for `<ui-editor>`: lists go on by themselves. Code and HTML inside are plain text. */
import { markdownKeymap, markdownLanguage } from "@codemirror/lang-markdown";
import { LanguageSupport } from "@codemirror/language";
import { Prec } from "@codemirror/state";
import { keymap } from "@codemirror/view";

export const markdownText = new LanguageSupport(markdownLanguage, [Prec.high(keymap.of(markdownKeymap))]);
