/** Every parameter of every method, route, stream and tool says what it means: nobody has to read the source to call it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it } from "vitest";
// @ts-expect-error what the generator of the references reads schemas with
import { fields, pathText } from "../../docs/generate/schema.mjs";

interface Schema {
  readonly description?: string;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: Schema;
}
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: Schema } } };
  readonly "x-websocket"?: { readonly up: Schema };
}
interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly "x-chela-methods": readonly { readonly name: string; readonly params: Schema }[];
  readonly "x-chela-tools": readonly { readonly name: string; readonly input: Schema }[];
}

const folder = join(import.meta.dirname, "../../plugins");
const ids = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

async function described(): Promise<Described> {
  const plugins = await Promise.all(
    ids.map(async (id) => ((await import(`../../plugins/${id}/index.ts`)) as { default: Plugin }).default),
  );
  await using host = await startHost({ plugins, env: { CHELA_DISCOVERY: "off" } });
  return JSON.parse(JSON.stringify(host.gateway.openapi()));
}

/** `[where, parameter]` of what says nothing. */
function silent(where: string, schema: Schema): string[] {
  const all: { path: readonly string[]; schema: Schema }[] = fields(schema);
  return all.filter((one) => !isSaid(one.schema)).map(({ path }) => `${where}: ${pathText(path)}`);
}

function isSaid({ description = "" }: Schema): boolean {
  return description.trim().length >= 6;
}

/** What their body may hold is told elsewhere: the whole config, files of a form, frames of MCP; or there is none. */
const withoutFields: ReadonlySet<string> = new Set([
  "POST /api/config",
  "POST /api/config/reload",
  "POST /api/webui/logout",
  "POST /api/channels/draft/commit",
  "POST /api/provider/oauth/import",
  "POST /api/upload",
  "POST /api/plugins/upload",
  "POST /api/sessions/import",
  "POST /mcp",
]);

function inRoute(where: string, { parameters = [], requestBody, ...rest }: Operation): string[] {
  const body = requestBody?.content["application/json"].schema;
  const up = rest["x-websocket"]?.up;
  const bodiless = where.startsWith("POST ") && !body && !withoutFields.has(where);
  return [
    ...(bodiless ? [`${where}: body`] : []),
    ...parameters.filter(({ schema }) => !isSaid(schema)).map((one) => `${where}: ${one.in} ${one.name}`),
    ...(body ? silent(`${where} body`, body) : []),
    ...(up ? silent(`${where} frames`, up) : []),
  ];
}

it("nothing is left undescribed", async () => {
  const { paths, "x-chela-methods": methods, "x-chela-tools": tools } = await described();
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
  );
  expect([routes.length > 40, methods.length > 60, tools.length > 15]).toEqual([true, true, true]);
  const left = [
    ...methods.flatMap(({ name, params }) => silent(name, params)),
    ...routes.flatMap(([where, operation]) => inRoute(where, operation)),
    ...tools.flatMap(({ name, input }) => silent(`tool ${name}`, input)),
  ];
  expect(left, "give it a description in its schema").toEqual([]);
});
