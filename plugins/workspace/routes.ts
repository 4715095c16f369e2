/** The HTTP routes of the workspace. What answers them is loaded with the first request. */
import { type Context, Type } from "@chela/sdk";
import type { Core } from "./core.ts";
import { megabyte, type WorkspaceSettings } from "./settings.ts";

type Ctx = Pick<Context<WorkspaceSettings>, "route" | "method" | "config">;
type Open = () => Promise<Core>;

const file = (description: string) => Type.Optional(Type.String({ description }));
const UploadId = Type.Object({ id: Type.String({ description: "Id of the upload, as /api/upload told it" }) });
const encoding = Type.Optional(Type.String({ description: "base64: bytes as they are, also of what is no text" }));
const agent = Type.Optional(Type.String({ maxLength: 200, description: "The agent whose own memory is meant" }));
const MemoryQuery = Type.Object({
  path: file("File below the memory folder; GET without it: the list"),
  agent,
  encoding,
});
const SearchQuery = Type.Object({
  query: Type.String({ maxLength: 2_000, description: "Words to look for" }),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 10, description: "Passages at most" }),
  agent,
});
const Below = file("Below the workspace; required");
const FileQuery = Type.Object({ path: Below, encoding });
const DocsQuery = Type.Object({ path: file("Name of a document; without it: the list") });

/** For the reference only: wrong types are answered in this dialect's own words. */
const Edit = Type.Unsafe<unknown>({
  description: 'If-Match: "HASH" (or base_hash) writes only over that version, else 409 with the current hash',
  properties: {
    path: { description: "Relative" },
    content: { description: "The whole new content, at most 4 MiB" },
    encoding: { description: "utf8 (default) or base64" },
    base_hash: { description: "The hash that was read" },
  },
});

export function registerRoutes(ctx: Ctx, open: Open): void {
  memoryRoutes(ctx, open);
  searchRoute(ctx, open);
  fileRoutes(ctx, open);
  uploadRoutes(ctx, open);
}

function memoryRoutes(ctx: Ctx, open: Open): void {
  const face = () => import("./faces/memory.ts");
  const answers = () => import("./faces/answers.ts");
  ctx.route({
    method: "GET",
    path: "/api/memory",
    access: "read",
    about: "Files of the memory, or one of them by path",
    query: MemoryQuery,
    handler: async ({ query }) => (await face()).readMemory(await open(), query),
  });
  ctx.route({
    method: "POST",
    path: "/api/memory",
    access: "write",
    about: "Writes a file of the memory",
    query: Type.Object({ agent }),
    body: Edit,
    handler: async ({ body, headers, query }) =>
      (await face()).writeMemory(await open(), (await answers()).readEdit(body, headers), query.agent),
  });
  ctx.route({
    method: "DELETE",
    path: "/api/memory",
    access: "write",
    about: "Deletes a file of the memory",
    query: MemoryQuery,
    handler: async ({ query, headers }) =>
      (await face()).removeMemory(await open(), query, (await answers()).conditionOf(headers)),
  });
}

/** An addition: ClawGo has no way to search the memory over HTTP. */
function searchRoute(ctx: Ctx, open: Open): void {
  ctx.route({
    method: "GET",
    path: "/api/memory/search",
    access: "read",
    about: "Passages of the memory by words, the best first",
    query: SearchQuery,
    handler: async ({ query }) => {
      const { searchMemory } = await import("./faces/memory.ts");
      return searchMemory(await open(), query);
    },
  });
}

function fileRoutes(ctx: Ctx, open: Open): void {
  const face = () => import("./faces/files.ts");
  ctx.route({
    method: "GET",
    path: "/api/workspace_file",
    access: "read",
    about: "A file of the workspace; found says whether it is there",
    query: FileQuery,
    handler: async ({ query }) => (await face()).readFile(await open(), query.path, query.encoding),
  });
  ctx.route({
    method: "POST",
    path: "/api/workspace_file",
    access: "write",
    about: "Writes a file of the workspace and makes its folders",
    body: Edit,
    handler: async ({ body, headers }) => {
      const { readEdit } = await import("./faces/answers.ts");
      return (await face()).writeFile(await open(), readEdit(body, headers));
    },
  });
  ctx.route({
    method: "DELETE",
    path: "/api/workspace_file",
    access: "write",
    about: "Deletes a file of the workspace",
    query: Type.Object({ path: Below }),
    handler: async ({ query, headers }) => {
      const { conditionOf } = await import("./faces/answers.ts");
      return (await face()).removeFile(await open(), query.path, conditionOf(headers));
    },
  });
  ctx.method({
    name: "workspace.files",
    access: "read",
    about: "The Markdown files of the workspace with size and time",
    handler: async () => (await import("./faces/markdown.ts")).listMarkdown(await open()),
  });
  ctx.route({
    method: "GET",
    path: "/api/workspace_docs",
    access: "read",
    about: "The documents that are there, or one of them by path",
    query: DocsQuery,
    handler: async ({ query }) => (await face()).readDocuments(await open(), query.path),
  });
}

function uploadRoutes(ctx: Ctx, open: Open): void {
  const face = () => import("./faces/uploads.ts");
  ctx.route({
    method: "POST",
    path: "/api/upload",
    access: "write",
    about:
      "Takes in one file, as multipart/form-data in the field file; its path goes into a chat as media or [file: PATH]",
    upload: {
      maxFiles: 1,
      // Read with each request, so that the limit is live.
      get maxFileBytes() {
        return ctx.config.uploads.max_mb * megabyte;
      },
    },
    handler: async ({ files }) => (await face()).takeUpload(await open(), files),
  });
  ctx.route({
    method: "GET",
    path: "/api/upload",
    access: "read",
    about: "The uploads that are kept, the newest first",
    handler: async () => (await face()).listUploads(await open()),
  });
  ctx.route({
    method: "GET",
    path: "/api/upload/:id",
    access: "read",
    about: "Downloads an upload",
    params: UploadId,
    handler: async ({ params }) => (await face()).sendUpload(await open(), params.id as string),
  });
  ctx.route({
    method: "DELETE",
    path: "/api/upload/:id",
    access: "write",
    about: "Deletes an upload",
    params: UploadId,
    handler: async ({ params }) => (await face()).removeUpload(await open(), params.id as string),
  });
}
