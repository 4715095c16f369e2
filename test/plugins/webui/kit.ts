/** A gateway with the page of a small build, and a browser's way of asking it. */
import { join } from "node:path";
import type { Plugin } from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions, type TestReply } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import { webui } from "../../../plugins/webui/index.ts";
import { tempDir, writeTree } from "../../kit/temp.ts";

export const html =
  '<!doctype html><style>@media (width<=9px){p{margin:0}}</style><script type="module" src="./ui/app-B7x9Q2kd.js"></script>\n';

/** What a build leaves, as small as can be. */
export function builtPage(): string {
  const folder = join(tempDir("webui"), "webui");
  writeTree(folder, {
    "index.html": html,
    "ui/app-B7x9Q2kd.js": "export const plain = true;",
    "ui/app-B7x9Q2kd.js.br": "br!",
    "ui/app-B7x9Q2kd.js.gz": "gz!",
    "ui/logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
  });
  return folder;
}

/** Stopped with the test. */
export async function page(
  options: Partial<TestHostOptions> = {},
  more: readonly Plugin[] = [],
  folder = builtPage(),
): Promise<TestHost> {
  const host = await startHost({ ...options, plugins: [webui(folder), ...more] });
  onTestFinished(() => host.stop());
  return host;
}

export interface Login {
  readonly reply: TestReply;
  /** `name=value`, as the browser sends it back; empty when none was set. */
  readonly cookie: string;
  /** The whole header. */
  readonly header: string;
}

/** Signs in as the page does. Without `credential`: with the gateway's token. */
export async function signIn(
  host: TestHost,
  { credential = host.token, headers = {}, path = "/api/webui/login" } = {},
): Promise<Login> {
  const reply = await host.request(path, {
    body: { credential },
    token: null,
    headers: { "content-type": "application/json", origin: "http://localhost", ...headers },
  });
  const header = String(reply.headers["set-cookie"] ?? "");
  return { reply, header, cookie: header.split(";")[0] as string };
}
