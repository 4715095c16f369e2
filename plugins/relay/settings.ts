/** The section `relay`. Everything in it is read live. */
import { type Static, Type } from "@chela/sdk";

export const RelaySection = Type.Object({
  max_frame_bytes: Type.Integer({
    minimum: 65_536,
    maximum: 268_435_456,
    default: 67_108_864,
    description: "One frame of a client; of connections that are made from now on.",
  }),
  max_open: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 4_096,
    description: "Requests that one client carries out at once.",
  }),
  reply_queue_kb: Type.Integer({
    minimum: 64,
    maximum: 1_048_576,
    default: 8_192,
    description: "Of one reply, what may wait for whoever reads it; above it the client is slowed down.",
  }),
  client_queue_kb: Type.Integer({
    minimum: 64,
    maximum: 4_194_304,
    default: 65_536,
    description: "The same for all replies of one client together.",
  }),
  slow_reader_ms: Type.Integer({
    minimum: 10,
    maximum: 600_000,
    default: 10_000,
    description: "How long one slow reader may hold up the other replies of its client, in all; then its reply fails.",
  }),
  write_ms: Type.Integer({
    minimum: 100,
    maximum: 600_000,
    default: 10_000,
    description: "A client that takes in nothing for so long is closed.",
  }),
});

export type RelaySettings = Static<typeof RelaySection>;
