/** Colours code. Loaded with the first block whose language is known. */
import DOMPurify from "dompurify";
import hljs from "highlight.js/lib/core";
import { loadLanguage } from "./languages.ts";

/** `language`: as `languageOf` names it. */
export async function highlight(code: string, language: string): Promise<DocumentFragment> {
  if (hljs.getLanguage(language) === undefined) {
    const grammar = await loadLanguage(language);
    if (grammar !== undefined) hljs.registerLanguage(language, grammar);
  }
  const { value } = hljs.highlight(code, { language, ignoreIllegals: true });
  return DOMPurify.sanitize(value, { ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"], RETURN_DOM_FRAGMENT: true });
}
