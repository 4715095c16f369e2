/** The texts of the workspace as resources: its documents and its memory, whole, and nothing else that lies there. */
import { allows, GatewayError, type Identity, type WorkspaceFile } from "@chela/sdk";
import type { Ctx } from "../needs.ts";
import type { ResourceOffer, ShownResource, ShownTemplate } from "./offered.ts";

/** As the routes have it that read the same: /api/workspace_docs and /api/memory. */
const access = "read";
const base = "chela://workspace/";
const memory = "memory/";
const maxUriChars = 8192;
const mimeType = "text/markdown";

const noteTemplate = `${base}${memory}{+path}`;
const templates: readonly ShownTemplate[] = [
  {
    uriTemplate: noteTemplate,
    name: "memory",
    description: "A note of the memory by its path: people.md, or 2026-11-21.md for the note of a day.",
    mimeType,
  },
];

export function resourcesOf({ use }: Ctx): ResourceOffer<Identity> {
  return {
    isThere: () => use.workspace !== undefined,
    templates,
    isOurs: (uri) => pathOf(uri) !== undefined,
    list: async (identity) => (allows(identity, access) ? (await listed(use)).map(shown) : []),
    read: async (uri, identity) => {
      const path = pathOf(uri);
      if (path === undefined || !allows(identity, access)) return undefined;
      const text = await textOf(use, path);
      return text === undefined ? undefined : { uri, mimeType, text };
    },
    complete: async (template, { name, value }, identity) => {
      if (template !== noteTemplate || name !== "path") return undefined;
      const notes = allows(identity, access) ? ((await use.workspace?.list("memory")) ?? []) : [];
      return matching(
        notes.map(({ path }) => path.slice(memory.length)),
        value,
      );
    },
  };
}

export function uriOf(path: string): string {
  return base + path.split("/").map(encodeURIComponent).join("/");
}

/** The addresses of all there is. */
export async function allUris(use: Ctx["use"]): Promise<readonly string[]> {
  return (await listed(use)).map(({ path }) => uriOf(path));
}

async function listed({ workspace }: Ctx["use"]): Promise<readonly WorkspaceFile[]> {
  if (!workspace) return [];
  return (await Promise.all([workspace.list("documents"), workspace.list("memory")])).flat();
}

async function textOf({ workspace }: Ctx["use"], path: string): Promise<string | undefined> {
  try {
    if (path.startsWith(memory)) return await workspace?.readMemory(path.slice(memory.length));
    const isDocument = (await workspace?.list("documents"))?.some((document) => document.path === path);
    return isDocument ? await workspace?.read(path) : undefined;
  } catch (error) {
    if (GatewayError.is(error) && ["PATH_REFUSED", "NOT_A_FILE"].includes(error.code)) return undefined;
    throw error;
  }
}

/** Below the workspace; undefined for what is no address of ours. */
function pathOf(uri: string): string | undefined {
  if (uri.length > maxUriChars || !uri.startsWith(base) || !URL.canParse(uri)) return undefined;
  const { pathname, search, hash } = new URL(uri);
  try {
    const path = decodeURIComponent(pathname.slice(1));
    return search === "" && hash === "" && path.endsWith(".md") ? path : undefined;
  } catch {
    return undefined;
  }
}

function shown({ path, size, modifiedAt }: WorkspaceFile): ShownResource {
  const lastModified = new Date(modifiedAt).toISOString();
  return { uri: uriOf(path), name: path, mimeType, size, annotations: { lastModified } };
}

/** Those that begin with it before those that hold it, whatever the case. */
function matching(paths: readonly string[], typed: string): readonly string[] {
  const wanted = typed.toLowerCase();
  const place = (path: string) => path.toLowerCase().indexOf(wanted);
  const found = paths.filter((path) => place(path) >= 0).sort();
  return [...found.filter((path) => place(path) === 0), ...found.filter((path) => place(path) > 0)];
}
