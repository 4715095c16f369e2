/** Light, dark, or as the system says. */
import { remember, remembered } from "../client/storage.ts";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export function currentTheme(): Theme {
  return themes.find((theme) => theme === remembered("theme")) ?? "system";
}

export function chooseTheme(theme: Theme): void {
  remember("theme", theme === "system" ? undefined : theme);
  applyTheme();
}

/** Charts and editors that draw for themselves listen to `themechange` on the document. */
export function applyTheme(): void {
  const theme = currentTheme();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  document.dispatchEvent(new Event("themechange"));
}

export function isDark(): boolean {
  const theme = currentTheme();
  return theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}
