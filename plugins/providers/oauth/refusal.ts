/** What an OAuth server answers instead of tokens: its error code, and whether the account is at its end. */

const ended: ReadonlySet<string> = new Set([
  "invalid_grant",
  "token_revoked",
  "refresh_token_expired",
  "refresh_token_reused",
  "refresh_token_invalidated",
  "invalid_refresh_token",
]);

export class OauthRefusal extends Error {
  /** The server's HTTP status. */
  readonly status: number;
  /** `invalid_grant`, `authorization_pending` … */
  readonly error: string;

  constructor(status: number, error: string, description: string) {
    super(description === "" ? error : `${error}: ${description}`);
    this.name = "OauthRefusal";
    this.status = status;
    this.error = error;
  }

  /** From a reply in any of the shapes that vendors use. */
  static of(status: number, body: Readonly<Record<string, unknown>> | undefined, text: string): OauthRefusal {
    const inner = typeof body?.error === "object" && body.error !== null ? (body.error as Record<string, unknown>) : {};
    const error = [body?.error, inner.code, inner.type].find((item) => typeof item === "string" && item !== "");
    const told = [body?.error_description, inner.message, body?.message, body?.detail];
    const description = told.find((item) => typeof item === "string") ?? (body ? "" : withoutPages(text));
    return new OauthRefusal(status, String(error ?? `status ${status}`).slice(0, 100), plain(String(description)));
  }

  /** Why the account can never refresh again, or undefined when trying later may help. */
  get endOfAccount(): string | undefined {
    if (this.status >= 500 || this.status === 429) return undefined;
    if (/revoked/i.test(this.message)) return "token_revoked";
    if (/deactivated_workspace/.test(this.message)) return "deactivated_workspace";
    return ended.has(this.error) ? this.error : undefined;
  }
}

/** A page is not the server's word: what it says about revoked access, say, is for people and about something else. */
function withoutPages(text: string): string {
  return /^\s*(?:<!doctype|<html|<\?xml|<head)/i.test(text) ? "answered with a web page" : plain(text);
}

/** One line, short, and without what looks like a token. */
function plain(text: string): string {
  return text
    .replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ")
    .replace(/[A-Za-z0-9_\-.~+/]{40,}/g, "***")
    .slice(0, 300)
    .trim();
}
