/**
 * A request that no route takes: a static file, else 400 (a stream asked for over plain HTTP), 405 or 404. Whatever
 * exists there is asked for under its own access, so that a stranger learns nothing.
 */
import { type Access, GatewayError } from "@chela/sdk";
import type { Gate } from "../auth/gate.ts";
import type { Owned } from "../host/compose.ts";
import type { StaticFolder } from "../instance/instance.ts";
import type { Exchange } from "./exchange.ts";

export async function unmatched(exchange: Exchange, gate: Gate, headers: Record<string, string>): Promise<void> {
  const { req, generation, path } = exchange;
  const stream = generation.streams.get(path);
  const allowed = generation.router.allowed(path);
  const [first] = allowed;
  const route = first ? generation.router.find(first, path)?.live.route : undefined;
  const folder = route || stream ? undefined : generation.statics.find(({ item }) => below(path, item.prefix));
  if (folder) return serve(exchange, folder, gate, headers);
  const access = route?.access ?? stream?.item.access;
  if (!access) throw notFound();
  await enter(exchange, gate, "route", access);
  if (stream && req.method === "GET") throw new GatewayError("UPGRADE_REQUIRED", 400, "Bad Request");
  const allow = (stream ? ["GET", ...allowed] : allowed).join(", ");
  throw new GatewayError("METHOD_NOT_ALLOWED", 405, "method not allowed", undefined, { headers: { allow } });
}

async function serve(
  exchange: Exchange,
  folder: Owned<StaticFolder>,
  gate: Gate,
  headers: Record<string, string>,
): Promise<void> {
  const { owner, item } = folder;
  exchange.label = item.prefix;
  owner.scope.enter();
  try {
    await enter(exchange, gate, "static", item.access);
    if (item.access !== "public" && exchange.identity) {
      const want = { what: "route", name: `GET ${item.prefix}`, access: item.access, owner: owner.id } as const;
      await gate.authorize(exchange.identity, want, exchange.generation);
    }
    const handler = await item.open();
    const rest = exchange.path.slice(item.prefix.endsWith("/") ? item.prefix.length - 1 : item.prefix.length);
    if (!(await handler(exchange.req, exchange.res, rest || "/", headers))) throw notFound();
  } finally {
    owner.scope.leave();
  }
}

async function enter(exchange: Exchange, gate: Gate, kind: "route" | "static", access: Access): Promise<void> {
  const credentials = gate.credentials(exchange.req, exchange.search, kind);
  exchange.identity = await gate.identify(exchange.req, credentials, exchange.generation, { what: "route", access });
}

function below(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}

function notFound(): GatewayError {
  return new GatewayError("NOT_FOUND", 404, "404 page not found");
}
