/** The connected clients by channel id. A second connection with the same id takes the place of the first. */
import type { RelayChannel, RelayReply, RelayRequest, Socket } from "@chela/sdk";
import { Channel } from "./channel.ts";
import { absent } from "./failures.ts";
import type { DownFrame, UpFrame } from "./frames.ts";
import type { RelaySettings } from "./settings.ts";

export interface HubParts {
  settings(): RelaySettings;
  emit(type: string, payload: Record<string, unknown>): void;
  /** A request that a client carries out: nothing is stopped before it has ended. */
  work(running: Promise<void>): void;
}

const defaultChannel = "aistudio";
const mostChannels = 256;

export class Hub {
  readonly #parts: HubParts;
  readonly #channels = new Map<string, Channel>();

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  channels(): readonly RelayChannel[] {
    return [...this.#channels.values()].map((channel) => channel.info());
  }

  async request(id: string, request: RelayRequest): Promise<RelayReply> {
    const channel = this.#channels.get(id.trim().toLowerCase());
    if (!channel) throw absent(id);
    return channel.request(request);
  }

  /** Serves a connection until it ends. */
  async adopt(socket: Socket<UpFrame, DownFrame>): Promise<void> {
    const id = channelId(socket);
    if (id === undefined) return socket.close(4400, "the provider's name has 1 to 64 letters, digits, . _ : or -");
    const before = this.#channels.get(id);
    if (!before && this.#channels.size >= mostChannels) return socket.close(4429, `more than ${mostChannels} channels`);
    const channel = new Channel(id, socket, this.#parts);
    this.#channels.set(id, channel);
    before?.close(4000, "replaced by a newer connection");
    this.#parts.emit("relay_connected", { channel: id, replaced: before !== undefined });
    try {
      await channel.serve();
    } finally {
      if (this.#channels.get(id) === channel) {
        this.#channels.delete(id);
        this.#parts.emit("relay_disconnected", { channel: id });
      }
    }
  }
}

/** `?provider=`, the header, the default; undefined when that is no name. */
function channelId({ query, headers }: Socket): string | undefined {
  const header = headers["x-clawgo-provider"];
  const sent = query.provider?.trim() || String((Array.isArray(header) ? header[0] : header) ?? "").trim();
  const id = (sent || defaultChannel).toLowerCase();
  return /^[a-z0-9][a-z0-9._:-]{0,63}$/.test(id) ? id : undefined;
}
