/** OpenAPI 3.1 of everything live, from the schemas the routes carry. No secret, no config value, no host path. */
import { type TSchema, Type } from "@chela/sdk";
import type { Generation } from "../host/compose.ts";
import type { AnyRoute } from "../instance/instance.ts";

type Json = Record<string, unknown>;

export function openapi(generation: Generation, version: string): Json {
  const paths: Record<string, Json> = Object.create(null);
  for (const owner of generation.instances.values()) {
    for (const route of owner.contributions.routes) {
      const path = route.path.replace(/:([^/]+)/g, "{$1}").replace(/\*/g, "{path}");
      put(paths, path)[route.method.toLowerCase()] = operation(owner.id, route);
    }
    for (const stream of owner.contributions.streams) {
      put(paths, stream.path).get = streamOperation(owner.id, stream);
    }
  }
  return {
    openapi: "3.1.0",
    info: { title: "Chela gateway", version },
    paths,
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    "x-chela-methods": [...generation.methods.values()].map(({ owner, item }) => ({
      name: item.name,
      access: item.access,
      plugin: owner.id,
      about: item.about ?? "",
      params: plain(item.params),
      result: plain(item.result),
    })),
    "x-chela-tools": [...generation.tools.values()].map(({ owner, item }) => ({
      name: item.name,
      access: item.access,
      risk: item.risk,
      plugin: owner.id,
      about: item.about,
      input: plain(item.input),
    })),
  };
}

function put(paths: Record<string, Json>, path: string): Json {
  const entry = paths[path] ?? {};
  paths[path] = entry;
  return entry;
}

function operation(owner: string, route: AnyRoute): Json {
  return {
    summary: route.about ?? "",
    tags: [owner],
    "x-access": route.access,
    security: route.access === "public" ? [] : [{ token: [] }],
    parameters: [...pathParameters(route), ...queryParameters(route.query)],
    ...(route.body ? { requestBody: { content: { "application/json": { schema: plain(route.body) } } } } : {}),
    responses: {
      200: {
        description: "done",
        ...(route.reply ? { content: { "application/json": { schema: plain(route.reply) } } } : {}),
      },
      default: { description: "refused: see the error text" },
    },
  };
}

function streamOperation(
  owner: string,
  stream: { about?: string; access: string; up?: TSchema; down?: TSchema },
): Json {
  return {
    summary: stream.about ?? "",
    tags: [owner],
    "x-access": stream.access,
    "x-websocket": { up: plain(stream.up), down: plain(stream.down) },
    security: stream.access === "public" ? [] : [{ token: [] }],
    responses: { 101: { description: "WebSocket" } },
  };
}

function pathParameters({ path, params }: AnyRoute): Json[] {
  const { properties = {} } = (params ?? {}) as { properties?: Record<string, TSchema> };
  const names = path
    .split("/")
    .flatMap((part) => (part === "*" ? ["path"] : part.startsWith(":") ? [part.slice(1)] : []));
  return names.map((name) => ({ name, in: "path", required: true, schema: plain(properties[name] ?? text) }));
}

function queryParameters(query: TSchema | undefined): Json[] {
  const { properties = {}, required = [] } = (query ?? {}) as {
    properties?: Record<string, TSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema: plain(schema),
  }));
}

const text = Type.String();

/** JSON without TypeBox's hidden keys. */
function plain(schema: TSchema | undefined): unknown {
  return schema === undefined ? {} : JSON.parse(JSON.stringify(schema));
}
