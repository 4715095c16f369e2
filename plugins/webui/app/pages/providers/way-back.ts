/** The address that a browser ends up at after a login, as people paste it. */

/** Whether it is the end of the login that began at `authUrl`: a login takes one address, and a slip of the hand should not be it. */
export function endsLogin(authUrl: string, pasted: string): boolean {
  const state = new URL(authUrl).searchParams.get("state") ?? "";
  const hasAnswer = /(?:^|[?&#])(?:code|error)=/.test(pasted);
  // `code#state`, as some vendors show it.
  const isPair = /^[^?&#\s]+#[^?&#\s]+$/.test(pasted);
  return pasted.includes(state) && (hasAnswer || isPair);
}
