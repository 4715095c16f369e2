/** Where the gateway is: always where this page came from, below whatever prefix a proxy put before it. */

const base = new URL(".", document.baseURI);

/** The full address of a path of the gateway: `/api/version`. Throws for what leads anywhere else. */
export function address(path: string): URL {
  const url = new URL(path.replace(/^\//, ""), base);
  if (url.href.startsWith(base.href)) return url;
  throw new TypeError(`not an address of this gateway: ${path}`);
}

/** The same for a WebSocket. */
export function socketAddress(path: string): URL {
  const url = address(path);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
