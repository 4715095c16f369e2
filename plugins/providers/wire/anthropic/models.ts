/** What Claude's generations take, told from their names: `claude-opus-4-8`, `claude-3-7-sonnet-20250219`. */

/** Undefined for what is no Claude, or has no number. */
function generation(model: string): number | undefined {
  if (!/claude/i.test(model)) return undefined;
  const [, major, minor] = /(?:^|[-.])(\d{1,2})(?:[-.](\d{1,2}))?(?![\d])/.exec(model.replace(/^.*claude/i, "")) ?? [];
  return major === undefined ? undefined : Number(major) + Number(minor ?? 0) / 100;
}

/** `adaptive`: thinks as it sees fit, by `effort`; `budget`: only when told how much; `none`: not at all. */
export function thinkingOf(model: string): "adaptive" | "budget" | "none" {
  const known = generation(model);
  if (known === undefined) return /claude/i.test(model) ? "adaptive" : "none";
  return known >= 4.06 ? "adaptive" : known >= 3.07 ? "budget" : "none";
}

/** Whether calls can be held to the schema of their tool. */
export function takesStrict(model: string): boolean {
  return /claude/i.test(model) && (generation(model) ?? 5) >= 4.01;
}

/** The API wants a limit with every request. */
export function defaultMaxTokens(model: string): number {
  const known = generation(model);
  if (known === undefined) return /claude/i.test(model) ? 32_000 : 8192;
  return known >= 4 ? 32_000 : known >= 3.05 ? 8192 : 4096;
}
