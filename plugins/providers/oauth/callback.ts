/**
 * The end of a code flow: what the browser was sent back with, pasted by hand or caught on the loopback port of the vendor.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type Server } from "node:http";
import { GatewayError } from "@chela/sdk";

/** Takes a whole URL, its query alone, or `code#state` as Claude shows it. */
export function parseCallback(text: string): URLSearchParams {
  const pasted = text.trim().slice(0, 16_384);
  const plain = /^([\w.~+/=-]+)#([\w.~+/=-]+)$/.exec(pasted);
  if (plain && !pasted.includes("://")) return new URLSearchParams({ code: plain[1] ?? "", state: plain[2] ?? "" });
  if (!URL.canParse(pasted)) return new URLSearchParams(pasted.replace(/^[^?]*\?/, ""));
  const url = new URL(pasted);
  return new URLSearchParams(url.search === "" ? url.hash.replace(/^#/, "") : url.search);
}

/** Throws what is wrong with it. Nothing of it is used before the state is right. */
export function checkCallback(parameters: URLSearchParams, state: string): void {
  const error = parameters.get("error");
  if (error !== null) {
    const description = parameters.get("error_description");
    throw refused(`oauth callback returned error: ${plain(description ? `${error}: ${description}` : error)}`);
  }
  if (!parameters.get("code")) throw refused("oauth callback missing code");
  if (!isState(parameters, state)) throw refused("oauth callback state mismatch");
}

export function isState(parameters: URLSearchParams, state: string): boolean {
  const given = Buffer.from(parameters.get("state") ?? "");
  const wanted = Buffer.from(state);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

export interface Listener {
  close(): void;
}

/**
 * Waits on a loopback port for the browser to come back. Requests without the right state are answered and change nothing,
 * so that a page cannot end a login. Throws `OAUTH_LISTEN` 409 when the port is taken or not ours to open.
 */
export async function listenForCallback(
  redirectUrl: string,
  state: string,
  arrived: (parameters: URLSearchParams) => void,
): Promise<Listener> {
  const { protocol, hostname, port, pathname } = new URL(redirectUrl);
  if (protocol !== "http:" || !["localhost", "127.0.0.1"].includes(hostname) || port === "") {
    throw new GatewayError(
      "OAUTH_LISTEN",
      409,
      `${redirectUrl} is no loopback address with a port: paste the address you end up at`,
    );
  }
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (req, res) => {
    const target = new URL(req.url ?? "/", "http://localhost");
    const right = req.method === "GET" && target.pathname === pathname && isState(target.searchParams, state);
    res.writeHead(right ? 200 : 404, pageHeaders).end(page(right));
    if (right) arrived(target.searchParams);
  });
  await open(server, Number(port));
  server.unref();
  return {
    close: () => {
      server.close();
      server.closeIdleConnections();
    },
  };
}

function open(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const message = `port ${port} for the browser's way back cannot be opened (${error.code}): paste the address you end up at`;
      reject(new GatewayError("OAUTH_LISTEN", 409, message));
    });
    server.listen(port, "127.0.0.1", () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined);
      resolve();
    });
  });
}

const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  connection: "close",
};

function page(right: boolean): string {
  const text = right ? "Login received. You may close this window." : "This is not the login that Chela waits for.";
  return `<!doctype html><meta charset="utf-8"><title>Chela</title><p>${text}</p>\n`;
}

function plain(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, " ").slice(0, 300);
}

function refused(message: string): GatewayError {
  return new GatewayError("OAUTH_CALLBACK", 400, message);
}
