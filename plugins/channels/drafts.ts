/**
 * The drafts, in memory and in their file. One holds only what was asked for, so that saving it touches nothing else; the
 * mark in it stands for a secret of the config file. Tables and drafts are replaced, never changed.
 */
import { isDeepStrictEqual } from "node:util";
import {
  type ChannelDrafts,
  type Config,
  type ConfigEdit,
  configPath,
  GatewayError,
  isObject,
  KeyedLock,
  type Logger,
  messageOf,
  objectOf,
  redactedMark,
} from "@chela/sdk";
import type { DraftFile, DraftTable } from "./draft-file.ts";
import { laidOver, leavesOf, saidAt, type Tree } from "./settings-tree.ts";

export const channels: readonly string[] = ["weixin", "telegram", "feishu"];

export interface DraftsWorld {
  readonly file: DraftFile;
  readonly config: Config;
  readonly log: Logger;
  /** The section `channels` as it is in effect, secrets in clear. */
  section(): Tree;
  changed(channel: string): void;
  /** A successor has the file. */
  isOver(): boolean;
}

const maxChars = 262_144;
/** Refusals that are about the settings; what else goes wrong says so itself. */
const aboutSettings = new Set(["CONFIG_INVALID", "CONFIG_REDACTED", "CONFIG_VALUE", "CONFIG_KEY", "CONFIG_PATH"]);

export class Drafts implements ChannelDrafts {
  readonly #world: DraftsWorld;
  /** Changes run one after another. */
  readonly #lock = new KeyedLock();
  #table: DraftTable = new Map();
  #loaded: Promise<void> | undefined;

  constructor(world: DraftsWorld) {
    this.#world = world;
  }

  /** For `drop`, once they are written. */
  get table(): DraftTable {
    return this.#table;
  }

  /** Reads the file, once. Never fails. */
  load(): Promise<void> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  get(channel: string): Tree | undefined {
    const draft = this.#table.get(channel);
    if (!draft) return undefined;
    const persisted = objectOf(this.#world.section()[channel]);
    try {
      return this.#world.config.restore(placeOf(channel), laidOver(persisted, draft), persisted) as Tree;
    } catch {
      return undefined;
    }
  }

  /** Every draft as the whole section that it wants, laid over what is persisted, for people: without secrets. */
  shown(persisted: Tree): Tree {
    const whole = [...this.#table].map(([channel, draft]) => [channel, laidOver(objectOf(persisted[channel]), draft)]);
    return objectOf(this.#world.config.redact("channels", Object.fromEntries(whole)));
  }

  edits(named?: Tree): readonly ConfigEdit[] {
    return [...this.#table].flatMap(([channel, draft]) => this.#editsOf(channel, draft, named));
  }

  async merge(channel: string, config: Tree): Promise<void> {
    assertChannel(channel);
    await this.load();
    await this.#lock.run("drafts", async () => {
      const draft = await this.#accepted(channel, config);
      await this.#replace(new Map(this.#table).set(channel, draft), [channel]);
    });
  }

  /** Those that there are at the call: what is merged later stays. */
  async clear(channel?: string): Promise<void> {
    if (channel !== undefined) assertChannel(channel);
    await this.drop(new Map([...this.#table].filter(([one]) => channel === undefined || one === channel)));
  }

  /** Those of them that are still the same. */
  async drop(drafts: DraftTable): Promise<void> {
    await this.#lock.run("drafts", async () => {
      const gone = [...drafts].filter(([channel, draft]) => this.#table.get(channel) === draft);
      if (gone.length === 0 || this.#world.isOver()) return;
      const rest = new Map(this.#table);
      for (const [channel] of gone) rest.delete(channel);
      await this.#replace(
        rest,
        gone.map(([channel]) => channel),
      );
    });
  }

  /** The draft with `config` merged into it, judged as a write of it would be. */
  async #accepted(channel: string, config: Tree): Promise<Tree> {
    const service = this.#world.config;
    const before = this.#table.get(channel) ?? {};
    try {
      if (!isObject(config)) throw refused(channel, "it must be an object");
      const persisted = objectOf(service.get(placeOf(channel), "merged").value);
      const named = service.restore(placeOf(channel), config, laidOver(persisted, before));
      const draft = laidOver(before, objectOf(named));
      if (JSON.stringify(draft).length > maxChars) throw refused(channel, `it is longer than ${maxChars} characters`);
      await service.plan(this.#editsOf(channel, draft));
      return draft;
    } catch (error) {
      if (!GatewayError.is(error) || !aboutSettings.has(error.code)) throw error;
      throw refused(channel, error.message.replace(/^invalid config: /, ""));
    }
  }

  #editsOf(channel: string, draft: Tree, named?: Tree): ConfigEdit[] {
    return leavesOf(draft, ["channels", channel]).flatMap(({ path, value }) => {
      const text = configPath(path);
      const said = saidAt(named, path);
      if (said === undefined) return { path: text, value };
      return hasMark(said) ? { path: text, value: this.#world.config.restore(text, said, value) } : [];
    });
  }

  async #replace(table: DraftTable, changed: readonly string[]): Promise<void> {
    await this.#world.file.write(table);
    this.#table = table;
    for (const channel of changed) this.#world.changed(channel);
  }

  async #load(): Promise<void> {
    const { file, config, log } = this.#world;
    try {
      const read = await file.read((drafts) => void config.redact("channels", drafts));
      this.#table = new Map([...read].filter(([channel]) => channels.includes(channel)));
      await this.drop(this.#written());
    } catch (error) {
      log.error({ error }, messageOf(error));
    }
  }

  /** What a predecessor saved and had no time to clear: drafts that want nothing but what is in effect. */
  #written(): DraftTable {
    const section = this.#world.section();
    return new Map([...this.#table].filter(([channel]) => isDeepStrictEqual(this.get(channel), section[channel])));
  }
}

function placeOf(channel: string): string {
  return configPath(["channels", channel]);
}

export function assertChannel(channel: string): void {
  if (!channels.includes(channel)) throw new GatewayError("CHANNEL_UNKNOWN", 400, "unsupported channel");
}

function refused(channel: string, why: string): GatewayError {
  return new GatewayError("CHANNEL_CONFIG", 400, `invalid ${channel} config: ${why}`);
}

function hasMark(value: unknown): boolean {
  return JSON.stringify(value).includes(redactedMark);
}
