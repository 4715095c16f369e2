/** Makes the element of a panel: a page of our own, or what the module of a plugin registered as `chela-panel-ID`. */
import type { PanelProperties } from "@chela/sdk/panel";
import { address } from "../client/address.ts";
import type { PanelFacts } from "../client/panels.ts";
import { t } from "../i18n/locale.ts";
import { ownPage } from "./pages.ts";
import { panelClient } from "./panel-client.ts";

export type PanelElement = HTMLElement & Partial<PanelProperties>;

const own = "webui:";
/** A module may wait at its top level; one that waits for ever is given up. */
const patienceMs = 15_000;

export function isOwn({ module }: PanelFacts): boolean {
  return module.startsWith(own);
}

/** Where the files of a panel lie: what fails there is the panel's. A module without a folder of its own stands for itself. */
export function folderOf({ module }: PanelFacts): string {
  const folder = new URL(".", address(module)).href;
  return folder === address("/").href ? address(module).href : folder;
}

/**
 * Throws when the module cannot be loaded, registers nothing, or its element cannot be made. A module that failed stays failed
 * under its address, so each further `attempt` asks for it under another one.
 */
export async function makePanel(panel: PanelFacts, attempt: number): Promise<PanelElement> {
  const { id, module } = panel;
  if (isOwn(panel)) return ownPage(module.slice(own.length));
  const name = `chela-panel-${id}`;
  if (customElements.get(name) === undefined) await load(address(module), attempt);
  const Made = customElements.get(name);
  if (Made === undefined) throw new Error(t("app.panelNothing", { module, name }));
  const element: PanelElement = new Made();
  element.chela = panelClient(panel);
  return element;
}

async function load(url: URL, attempt: number): Promise<void> {
  if (attempt > 0) url.searchParams.set("attempt", String(attempt));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new Error(t("app.panelLate", { module: url.pathname, n: patienceMs / 1000 })));
    timer = setTimeout(give, patienceMs);
  });
  try {
    await Promise.race([import(/* @vite-ignore */ url.href), late]);
  } finally {
    clearTimeout(timer);
  }
}
