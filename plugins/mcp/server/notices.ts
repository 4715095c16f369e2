/** What clients are told of: events of the gateway as notices, many at a time as one. An edited text does not make another list. */
import type { GatewayEvent } from "@chela/sdk";
import type { Ctx } from "../needs.ts";
import type { Notice } from "./offered.ts";
import { allUris, uriOf } from "./resources.ts";

const noticeMs = 250;
/** Looking up what there is in a huge workspace takes its time, and no more than a tenth of all. */
const restFactor = 10;

export class Notices {
  readonly #ctx: Ctx;
  readonly #tell: (notice: Notice) => void;
  readonly #unsubscribe: () => void;
  /** Since the last notice. */
  #types = new Set<string>();
  /** Paths of the workspace; undefined: any. */
  #paths: Set<string> | undefined = new Set();
  /** The addresses when they were last looked up. */
  #known = "";
  #lookMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(ctx: Ctx, tell: (notice: Notice) => void) {
    this.#ctx = ctx;
    this.#tell = tell;
    this.#unsubscribe = ctx.use.events.subscribe((event) => this.#hear(event));
    void this.#uris();
  }

  close(): void {
    this.#unsubscribe();
    clearTimeout(this.#timer);
  }

  #hear({ type, payload }: GatewayEvent): void {
    if (!["tools_changed", "plugin_state", "skills_changed", "workspace_changed"].includes(type)) return;
    if (this.#ctx.stopping.aborted) return;
    this.#types.add(type);
    if (type === "workspace_changed") this.#note(payload.paths);
    this.#timer ??= setTimeout(() => void this.#send(), Math.max(noticeMs, restFactor * this.#lookMs));
  }

  #note(paths: unknown): void {
    if (!Array.isArray(paths) || paths.length === 0) this.#paths = undefined;
    else for (const path of paths) this.#paths?.add(String(path));
  }

  async #send(): Promise<void> {
    const [types, paths] = [this.#types, this.#paths];
    this.#timer = undefined;
    this.#types = new Set();
    this.#paths = new Set();
    const isNew = types.has("plugin_state");
    const uris = isNew || types.has("workspace_changed") ? await this.#uris() : undefined;
    this.#tell({
      tools: isNew || types.has("tools_changed"),
      prompts: isNew || types.has("skills_changed"),
      resources: uris?.isOther === true,
      updated: paths ? [...paths].map(uriOf) : (uris?.all ?? []),
    });
  }

  async #uris(): Promise<{ readonly all: readonly string[]; readonly isOther: boolean }> {
    const from = performance.now();
    const all = await allUris(this.#ctx.use).catch(() => []);
    this.#lookMs = performance.now() - from;
    const now = [...all].sort().join("\n");
    const isOther = now !== this.#known;
    this.#known = now;
    return { all, isOther };
  }
}
