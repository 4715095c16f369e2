/** workspace: the folder that agents and people share. Documents, memory, uploads, and ClawGo's routes to them. */
import { join } from "node:path";
import { type Context, config, definePlugin, files, gateway, need, store, type Workspace, workspace } from "@chela/sdk";
import type { Core } from "./core.ts";
import { allDocuments } from "./documents/names.ts";
import { agentsFolder, memoryFolder } from "./paths.ts";
import { Place } from "./place.ts";
import { registerRoutes } from "./routes.ts";
import { WorkspaceSection, type WorkspaceSettings } from "./settings.ts";

const needs = {
  config: need(config, "^1.0.0"),
  files: need(files, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  store: need(store, "^1.0.0", { optional: true }),
};
const clawgoKey = "agents.defaults.workspace";
const sweepEveryMs = 3_600_000;
/** After the start, so that nobody waits for it. */
const bootstrapAfterMs = 100;

type Ctx = Context<WorkspaceSettings, typeof needs>;

export default definePlugin({
  id: "workspace",
  version: "1.0.0",
  host: "^1.0.0",
  about: "The workspace: documents for prompts, memory, uploads",
  section: "workspace",
  config: WorkspaceSection,
  hot: ["*"],
  needs,
  provides: [workspace],
  setup(ctx) {
    const place = new Place(() => ({
      dir: ctx.config.dir,
      fallback: ctx.use.config.get(clawgoKey, "merged").value,
      stateDir: ctx.use.gateway.status().stateDir,
    }));
    const open = opener(ctx, place);
    ctx.provide(workspace, serviceOf(open, place));
    registerRoutes(ctx, open);
    ctx.panel({ id: "files", title: "Files", icon: "folder", module: "webui:files", access: "read", order: 50 });
    ctx.every(sweepEveryMs, async () => {
      const deleted = await (await open()).uploads.sweep(Date.now());
      if (deleted > 0) ctx.log.info({ deleted }, "old uploads were deleted");
    });
    ctx.health("folder", async () => (await import("./health.ts")).folderHealth(place.root()));
    follow(ctx, place, open);
  },
});

/** The rest of this plugin, loaded when it is first needed. */
function opener(ctx: Ctx, place: Place): () => Promise<Core> {
  let opened: Promise<Core> | undefined;
  const load = async () => {
    const [{ openCore }, { noticeOf }] = await Promise.all([import("./core.ts"), import("./notice.ts")]);
    return openCore({
      files: ctx.use.files,
      place,
      dataDir: ctx.dataDir,
      log: ctx.log,
      signal: ctx.signal,
      settings: () => ctx.config,
      store: () => ctx.use.store,
      now: () => new Date(),
      told: noticeOf((paths) => ctx.emit("workspace_changed", { paths }), ctx.signal),
    });
  };
  return () => {
    if (opened) return opened;
    opened = load();
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
}

/** Watches the workspace, makes the first documents, and goes along when it moves. */
function follow(ctx: Ctx, place: Place, open: () => Promise<Core>): void {
  const watched = new Set<string>();
  let working: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const prepare = () => {
    working = working
      .then(async () => {
        const { readMade } = await import("./documents/made.ts");
        if (!Object.hasOwn(await readMade(ctx.dataDir), place.root())) await (await open()).bootstrap();
      })
      .catch((error: unknown) => {
        if (!ctx.signal.aborted) ctx.log.warn({ error, root: place.root() }, "the workspace could not be prepared");
      });
  };
  const watch = (root: string) => {
    if (watched.has(root)) return;
    watched.add(root);
    const names = [...allDocuments, memoryFolder, agentsFolder];
    ctx.watch(
      names.map((name) => join(root, name)),
      async (paths) => {
        if (place.root() === root) (await open()).changed(paths);
      },
    );
  };
  ctx.own("first documents", async () => {
    clearTimeout(timer);
    await working;
  });
  ctx.start(() => {
    watch(place.root());
    timer = setTimeout(prepare, bootstrapAfterMs).unref();
  });
  const moved = async () => {
    const before = place.root();
    const root = place.look();
    if (root === before) return;
    watch(root);
    (await open()).changed();
    prepare();
  };
  ctx.on("config:changed", async ({ changed }) => {
    if (changed.some((path) => /^(workspace|agents)\b/.test(path))) await moved();
  });
}

function serviceOf(open: () => Promise<Core>, place: Place): Workspace {
  return {
    root: () => place.root(),
    folder: () => place.usable(),
    documents: async (agent) => (await open()).documents(agent),
    recall: async (agent) => (await open()).recall(agent),
    list: async (what) => (await open()).list(what),
    read: async (path) => (await open()).read(path),
    write: async (path, content) => (await open()).write(path, content),
    alone: async (path, work) => (await open()).alone(path, work),
    readMemory: async (path, agent) => (await open()).readMemory(path, agent),
    remember: async (text, path, agent) => (await open()).remember(text, path, agent),
    searchMemory: async (words, limit, agent) => (await open()).searchMemory(words, limit, agent),
    attachment: async (ref) => (await open()).attachment(ref),
    keep: async (name, bytes) => (await open()).keep(name, bytes),
  };
}
