/**
 * What a plugin may register, in setup only: recorded on its instance and owned by its scope from the moment of the call.
 * The rules of registration (names, access, kinds) are enforced here, at the call that breaks them.
 */
import { fileURLToPath } from "node:url";
import { type Context, type HookName, type HookTaps, hookKinds, type Panel, type Service } from "@chela/sdk";
import type { AnyRoute, AnyTool, Instance } from "./instance.ts";
import { asJson, misuse, needsAccess, needsFunction, needsName, needsPath, plainCopy } from "./misuse.ts";
import type { OwnedKind } from "./scope.ts";

type Entrances = Pick<Context, "route" | "stream" | "static">;
type Calls = Pick<Context, "method" | "tool" | "command">;
type Offers = Pick<Context, "on" | "panel" | "health" | "provide">;

export function registrations(instance: Instance): Entrances & Calls & Offers {
  return { ...entrances(instance), ...calls(instance), ...offers(instance) };
}

function entrances(instance: Instance): Entrances {
  const add = register(instance);
  const { contributions } = instance;
  return {
    route: (route) => {
      needsRoute(instance, route as never);
      add("route", `${route.method} ${route.path}`, contributions.routes, route as never);
    },
    stream: (stream) => {
      const what = `stream ${stream.path}`;
      needsPath(instance, "stream", stream.path);
      if (/[:*]/.test(stream.path)) throw misuse(instance, `registers the ${what}; a stream's path has no parameters`);
      needsAccess(instance, what, stream.access);
      needsFunction(instance, what, stream.open);
      needsSchemas(instance, what, [stream.up, stream.down]);
      add("stream", stream.path, contributions.streams, stream as never);
    },
    static: (prefix, place, options) => {
      const folder = place instanceof URL ? fileURLToPath(place) : place;
      needsPath(instance, "static", prefix);
      needsAccess(instance, `static ${prefix}`, options?.access);
      const open = once(async () => (await import("../http/static.ts")).staticHandler(folder, options));
      add("static", prefix, contributions.statics, { prefix, folder, access: options.access, open });
    },
  };
}

function calls(instance: Instance): Calls {
  const add = register(instance);
  const { contributions } = instance;
  return {
    method: (method) => {
      const what = `method ${method.name}`;
      needsName(instance, "method", method.name);
      needsAccess(instance, what, method.access);
      needsFunction(instance, what, method.handler);
      needsSchemas(instance, what, [method.params, method.result]);
      add("method", method.name, contributions.methods, method as never);
    },
    tool: (tool) => {
      needsTool(instance, tool as never);
      add("tool", tool.name, contributions.tools, tool as never);
    },
    command: (command) => {
      const what = `command ${command.name}`;
      needsName(instance, "command", command.name);
      needsAccess(instance, what, command.access);
      needsFunction(instance, what, command.run);
      needsSchemas(instance, what, [command.args]);
      add("command", command.name, contributions.commands, command as never);
    },
  };
}

function offers(instance: Instance): Offers {
  const add = register(instance);
  const { contributions } = instance;
  return {
    on<H extends HookName>(hook: H, fn: HookTaps[H], order?: "pre" | "post") {
      if (!Object.hasOwn(hookKinds, hook))
        throw misuse(instance, `taps the unknown hook "${hook}"; the hooks are listed in the SDK`);
      needsFunction(instance, `on ${hook}`, fn);
      const stats = { calls: 0, errors: 0, ms: 0 };
      add("hook", hook, contributions.taps, { hook, owner: instance, order, fn, stats });
    },
    panel: (panel) => {
      needsPanel(instance, panel);
      add("panel", panel.id, contributions.panels, plainCopy(instance, `registers the panel ${panel.id}`, panel));
    },
    health: (name, check) => {
      needsFunction(instance, `health ${name}`, check);
      add("health", name, contributions.health, { name, check });
    },
    provide: (service, implementation) => provide(instance, service, implementation),
  };
}

/** Its id names an element of the page, and its module is loaded by browsers: plain segments only, none that leads up or away. */
function needsPanel(instance: Instance, { id, access, module }: Panel): void {
  if (typeof id !== "string" || !/^[a-z][a-z0-9-]{0,63}$/.test(id))
    throw misuse(instance, `registers a panel named "${String(id)}"; use 1-64 small letters, digits and -`);
  needsAccess(instance, `panel ${id}`, access);
  if (!/^(?:webui:[\w-]+|(?:\/(?!\.\.?(?:\/|$))[\w.~@+-]+)+)$/.test(module))
    throw misuse(instance, `gives the panel ${id} the module "${module}"; it is a path such as /x/panel.js`);
}

const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);
/** Answered by the host before any route is asked. */
const probes: ReadonlySet<string> = new Set(["/health", "/ready"]);

function needsRoute(instance: Instance, route: AnyRoute): void {
  const { method, path, access, handler, query, body, reply } = route;
  const what = `route ${method} ${path}`;
  needsPath(instance, "route", path);
  if (!methods.has(method)) throw misuse(instance, `registers the ${what}; the methods are ${[...methods].join(", ")}`);
  if (probes.has(path)) throw misuse(instance, `registers the ${what}, which the host answers itself`);
  const odd = path.split("/").some((part, at, all) => part === ":" || (part === "*" && at < all.length - 1));
  if (odd) throw misuse(instance, `registers the ${what}; a parameter has a name, and * stands at the end only`);
  needsAccess(instance, what, access);
  needsFunction(instance, what, handler);
  needsSchemas(instance, what, [query, body, reply]);
}

/** What every tool has to be, whenever it is registered. */
export function needsTool(instance: Instance, tool: AnyTool): void {
  const what = `tool ${tool.name}`;
  needsAccess(instance, what, tool.access);
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(tool.name))
    throw misuse(instance, `names a tool "${tool.name}"; use 1-64 letters, digits, _ or -`);
  needsFunction(instance, what, tool.run);
  needsSchemas(instance, what, [tool.input ?? null]);
  for (const key of tool.needs ?? []) {
    if (instance.manifest.needs.some((need) => need.key === key)) continue;
    throw misuse(instance, `gives the ${what} the need "${key}", which its \`needs\` do not name`);
  }
}

/** They are shown to clients and models, so they have to be JSON. */
function needsSchemas(instance: Instance, what: string, schemas: readonly unknown[]): void {
  for (const schema of schemas) {
    if (schema === undefined) continue;
    if (typeof schema !== "object" || schema === null) throw misuse(instance, `gives ${what} a schema that is none`);
    asJson(instance, `gives ${what} a schema`, schema);
  }
}

function register(instance: Instance) {
  return <T>(kind: OwnedKind, label: string, list: T[], item: T): void => {
    instance.scope.assertOpen(`${kind} ${label}`);
    if (instance.sealed)
      throw misuse(instance, `registers the ${kind} "${label}" after setup; register everything in setup`);
    list.push(item);
    const forget = instance.scope.own(kind, label);
    if (kind === "tool") instance.toolMarks.push(forget);
  };
}

function provide<T>(instance: Instance, service: Service<T>, implementation: T): void {
  const { scope, contributions, manifest } = instance;
  scope.assertOpen(`provide ${service.id}`);
  if (instance.sealed) throw misuse(instance, `provides "${service.id}" after setup`);
  const declared = manifest.provides.find(({ id }) => id === service.id);
  if (!declared) throw misuse(instance, `provides "${service.id}" without listing it in \`provides\``);
  if (contributions.services.has(service.id)) throw misuse(instance, `provides "${service.id}" twice`);
  if (implementation === undefined || implementation === null)
    throw misuse(instance, `provides nothing for "${service.id}"`);
  contributions.services.set(service.id, { version: declared.version, implementation });
  scope.own("service", service.id);
}

/** What failed is made anew: the folder may be there by then. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
