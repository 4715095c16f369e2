/** A host with the workspace plugin on a temporary state dir, with or without the store. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Workspace, workspace } from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions, type TestReply } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import store from "../../../plugins/store/index.ts";
import plugin from "../../../plugins/workspace/index.ts";

export interface Rig {
  readonly host: TestHost;
  readonly service: Workspace;
  readonly root: string;
  put(path: string, content: string | Uint8Array): void;
  get(path: string): Promise<TestReply>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<TestReply>;
  remove(path: string): Promise<TestReply>;
}

export interface RigOptions extends Omit<TestHostOptions, "plugins"> {
  readonly plugins?: TestHostOptions["plugins"];
  /** First documents, off by default: most tests want an empty folder. */
  readonly bootstrap?: boolean;
  readonly withStore?: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export async function rig(options: RigOptions = {}): Promise<Rig> {
  const { bootstrap = false, withStore = false, settings = {}, plugins = [], config = {}, ...rest } = options;
  const host = await startHost({
    ...rest,
    plugins: [plugin, ...(withStore ? [store] : []), ...plugins],
    config: { workspace: { bootstrap, ...settings }, ...(config as Record<string, unknown>) },
  });
  onTestFinished(() => host.stop());
  const service = host.service(workspace);
  const root = service.root();
  return {
    host,
    service,
    root,
    put: (path, content) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
    get: (path) => host.request(path),
    post: (path, body, headers) => host.request(path, { method: "POST", body, ...(headers && { headers }) }),
    remove: (path) => host.request(path, { method: "DELETE" }),
  };
}

/** A form with one file, as a browser sends it. */
export function form(
  content: string | Uint8Array,
  { name = "notes.txt", field = "file", type = "application/octet-stream" } = {},
): { method: string; body: Buffer; headers: Record<string, string> } {
  const boundary = "----chela7b3f";
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${field}"; filename="${name}"\r\ncontent-type: ${type}\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(head),
    Buffer.from(content as string),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const headers = {
    "content-type": `multipart/form-data; boundary=${boundary}`,
    "content-length": String(body.length),
  };
  return { method: "POST", body, headers };
}

/** Every file below a folder, relative; none where there is no folder. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
