/** The words of CodeMirror in the language of the page, by their English. */
import { t } from "../i18n/locale.ts";

export function phrases(): Readonly<Record<string, string>> {
  return {
    Find: t("editor.find"),
    Replace: t("editor.replace"),
    next: t("editor.next"),
    previous: t("editor.previous"),
    all: t("editor.all"),
    "match case": t("editor.matchCase"),
    regexp: t("editor.regexp"),
    "by word": t("editor.byWord"),
    replace: t("editor.replace"),
    "replace all": t("editor.replaceAll"),
    close: t("ui.close"),
    "Go to line": t("editor.goToLine"),
    go: t("editor.go"),
    Completions: t("editor.completions"),
    Diagnostics: t("editor.problems"),
    "No diagnostics": t("editor.noProblems"),
    "Fold line": t("editor.fold"),
    "Unfold line": t("editor.unfold"),
    "folded code": t("editor.folded"),
    unfold: t("editor.unfold"),
    "current match": t("editor.currentMatch"),
    "on line": t("editor.onLine"),
    "replaced $ matches": t("editor.replacedAll"),
    "replaced match on line $": t("editor.replacedOne"),
    "Control character": t("editor.control"),
  };
}
