/** Our own pages: a panel with the module `webui:NAME` is one of these. Each loads when it is opened first. */
import { type Chapter, languages } from "../i18n/locale.ts";

const loaders: Readonly<Record<string, () => Promise<unknown>>> = {
  chat: () => import("../pages/chat/page.ts"),
  dashboard: () => import("../pages/dashboard/page.ts"),
  plugins: () => import("../pages/plugins/page.ts"),
  config: () => import("../pages/config/page.ts"),
  providers: () => import("../pages/providers/page.ts"),
  mcp: () => import("../pages/mcp/page.ts"),
  files: () => import("../pages/files/page.ts"),
  logs: () => import("../pages/logs/page.ts"),
  keys: () => import("../pages/keys/page.ts"),
};

/** Words that a page needs besides its own. */
const moreWords: Readonly<Record<string, readonly Chapter[]>> = {
  plugins: ["settings"],
  config: ["settings"],
  providers: ["settings"],
};

/** Makes the element of a page, once its code and its words are there. */
export async function ownPage(name: string): Promise<HTMLElement> {
  const load = loaders[name];
  if (load === undefined) throw new Error(`webui:${name}`);
  const chapters = [name as Chapter, ...(moreWords[name] ?? [])];
  await Promise.all([load(), ...chapters.map((chapter) => languages.load(chapter))]);
  return document.createElement(`chela-page-${name}`);
}
