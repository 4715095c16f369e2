/** What an upstream may cost at most. Sizes in bytes, times in milliseconds. */
export const limits = {
  connectMs: 10_000,
  connections: 512,
  /** A whole reply that we read and assemble. */
  replyBytes: 64 * 1024 * 1024,
  /** A whole reply that only passes through. */
  passBytes: 1024 * 1024 * 1024,
  /** An error body that is read for its message. */
  errorBytes: 256 * 1024,
  /** Bytes that wait for a slow reader before the upstream socket is paused. */
  queueBytes: 256 * 1024,
  /** How long the rest of a finished reply may keep its connection before it is cut. */
  drainMs: 1_000,
  toolCalls: 256,
  /** Pieces of one reply that are told apart. */
  blocks: 4096,
  eventChars: 16 * 1024 * 1024,
} as const;
