/** A server whose one route is an upload; the outcomes are collected, so that clients which leave can be judged too. */
import { existsSync, readdirSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { GatewayError } from "@chela/sdk";
import { onTestFinished } from "vitest";
import type { Upload } from "../../kernel/http/upload.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

type Outcome = { upload: Upload; error?: never } | { upload?: never; error: GatewayError };

export async function uploadServer(read: (req: IncomingMessage, folder: string) => Promise<Upload>) {
  const folder = join(tempDir(), "uploads");
  const outcomes: Outcome[] = [];
  const server = createServer((req, res) => {
    read(req, folder).then(
      (upload) => {
        outcomes.push({ upload });
        res.end("ok");
      },
      (error) => {
        outcomes.push({ error });
        res.writeHead(error.status ?? 500, { connection: "close" }).end(error.code);
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  const next = () => until(() => outcomes.shift(), 5_000, "an outcome");
  const left = () => (existsSync(folder) ? readdirSync(folder) : []);
  return { port, folder, next, left };
}
