/** Times as ClawGo writes them. */

/** RFC 3339 to the second. */
export function rfc3339(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

/** For what is off until somebody does something about it. */
const never = "9999-12-31T23:59:59Z";

export function untilText(wall: number, ms: number): string {
  return ms === Number.POSITIVE_INFINITY ? never : rfc3339(wall + ms);
}
