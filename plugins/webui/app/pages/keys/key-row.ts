/** What the gateway tells of a named key, and how its limits are typed. */

export const scopes = ["read", "write", "admin"] as const;
export type Scope = (typeof scopes)[number];

export interface Limits {
  readonly rpm: number | null;
  readonly tokens: number | null;
  readonly usd: number | null;
  readonly period: "day" | "month";
}

/** A key as `keys.list` tells it; times in milliseconds. */
export interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  readonly state: "active" | "expired" | "revoked";
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  readonly limits: Limits;
  readonly spent: { readonly tokens: number; readonly cost: number; readonly calls: number } | null;
  readonly remaining: { readonly tokens: number | null; readonly usd: number | null; readonly rpm: number | null };
  readonly resetsAt: number;
}

/** The limits that a form holds; an empty field is no limit. */
export function limitsOf(fields: FormData): Limits {
  const amount = (name: string) => {
    const text = fields.get(name)?.toString().trim() ?? "";
    return text === "" ? null : Number(text);
  };
  return {
    rpm: amount("rpm"),
    tokens: amount("tokens"),
    usd: amount("usd"),
    period: fields.get("period") === "day" ? "day" : "month",
  };
}
