/** The page: one file without a secret, read once and kept, with headers that let nothing in but what this gateway serves. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Reply } from "@chela/sdk";

interface Asked {
  /** `If-None-Match` of the request. */
  readonly asked: string | string[] | undefined;
  /** The address holds a token, which the page trades and strips: such a reply is kept nowhere. */
  readonly withToken: boolean;
  readonly ancestors: readonly string[];
}

interface Built {
  readonly html: string;
  readonly etag: string;
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types lit-html dompurify chela 'allow-duplicates'",
].join("; ");

const notUsed = [
  "accelerometer",
  "camera",
  "display-capture",
  "geolocation",
  "gyroscope",
  "hid",
  "idle-detection",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "serial",
  "usb",
  "xr-spatial-tracking",
];

const missing = `The WebUI is not in this installation. In a clone, build it with

  npm run build

and load this page again; elsewhere, install Chela again.
`;

export class Page {
  readonly #folder: string;
  #built: Built | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async reply({ asked, withToken, ancestors }: Asked): Promise<Reply> {
    this.#built ??= await read(join(this.#folder, "index.html"));
    if (!this.#built) return Reply.text(missing, { status: 503, headers: fixed(ancestors) });
    const { etag, html } = this.#built;
    const headers = { ...fixed(ancestors), "cache-control": withToken ? "no-store" : "no-cache", etag };
    const known = String(asked ?? "")
      .split(",")
      .map((tag) => tag.trim().replace(/^W\//, ""));
    if (known.includes(etag)) return new Reply(null, { status: 304, headers });
    return new Reply(html, { headers: { ...headers, "content-type": "text/html; charset=utf-8" } });
  }
}

/** Undefined as long as it was not built. */
async function read(file: string): Promise<Built | undefined> {
  try {
    const html = await readFile(file, "utf8");
    return { html, etag: `"${createHash("sha256").update(html).digest("base64url").slice(0, 22)}"` };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function fixed(ancestors: readonly string[]): Record<string, string> {
  const framed = ancestors.length > 0;
  return {
    "content-security-policy": `${policy}; frame-ancestors ${framed ? ancestors.join(" ") : "'none'"}`,
    ...(framed ? {} : { "x-frame-options": "DENY" }),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": notUsed.map((feature) => `${feature}=()`).join(", "),
  };
}
