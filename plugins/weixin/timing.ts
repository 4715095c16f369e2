/** The waits of the channel, in milliseconds; tests shorten them. */

export interface Timing {
  /** For a QR code. */
  readonly qrMs: number;
  /** For one question after a login; the server holds it for up to 35 s. */
  readonly pollMs: number;
  /** Between two questions; after failures it doubles, up to thirty times as long. */
  readonly pauseMs: number;
  /** A whole login, all its QR codes together. */
  readonly loginMs: number;
  /** What has ended without an account stays visible for so long. */
  readonly keepMs: number;
  /** How long the reply to a login's start waits for what the server says first. */
  readonly firstLookMs: number;
}

export const usualTiming: Timing = {
  qrMs: 20_000,
  pollMs: 40_000,
  pauseMs: 1000,
  loginMs: 480_000,
  keepMs: 600_000,
  firstLookMs: 500,
};
