/** The log as a plugin writes it. */

/** The plugin's log: fields first, or a sentence alone. Lines carry the plugin's id; secrets are masked. */
export interface Logger {
  debug(fields: Record<string, unknown>, message?: string): void;
  debug(message: string): void;
  info(fields: Record<string, unknown>, message?: string): void;
  info(message: string): void;
  warn(fields: Record<string, unknown>, message?: string): void;
  warn(message: string): void;
  error(fields: Record<string, unknown>, message?: string): void;
  error(message: string): void;
}
