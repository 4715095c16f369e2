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
  /** Of `Content-Security-Policy`, but for who may frame it. */
  readonly rules: string;
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
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
    if (!this.#built) return Reply.text(missing, { status: 503, headers: fixed(ancestors, rulesFor("")) });
    const { etag, html, rules } = this.#built;
    const headers = { ...fixed(ancestors, rules), "cache-control": withToken ? "no-store" : "no-cache", etag };
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
    const etag = `"${createHash("sha256").update(html).digest("base64url").slice(0, 22)}"`;
    return { html, etag, rules: rulesFor(html) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The styles that lie in the page itself, and no others, are named by what they are. */
function rulesFor(html: string): string {
  const styles = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, text = ""]) => text);
  const hashes = styles.map((text) => ` 'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  return `${policy}; style-src 'self'${hashes.join("")}`;
}

function fixed(ancestors: readonly string[], rules: string): Record<string, string> {
  const framed = ancestors.length > 0;
  return {
    "content-security-policy": `${rules}; frame-ancestors ${framed ? ancestors.join(" ") : "'none'"}`,
    ...(framed ? {} : { "x-frame-options": "DENY" }),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": notUsed.map((feature) => `${feature}=()`).join(", "),
  };
}
