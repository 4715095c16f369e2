/**
 * The door to polka. One router per generation, built once and never changed: exact paths in a table, patterns in
 * polka's. Matching is on the canonical path, case-sensitive, without trailing-slash variants, so that guard and router
 * never disagree.
 */
import { GatewayError, type Want } from "@chela/sdk";
import polka from "polka";
import type { AnyRoute, Instance } from "./instance/instance.ts";

export interface LiveRoute {
  readonly route: AnyRoute;
  readonly owner: Instance;
  /** Parameter names in the order of the pattern's groups. */
  readonly names: readonly string[];
  /** What it asks of whoever enters. */
  readonly want: Want;
  /** A request for it carries nothing that must be read first. */
  readonly bare: boolean;
}

export interface RouteMatch {
  readonly live: LiveRoute;
  readonly params: Readonly<Record<string, string>>;
}

const noParams: Readonly<Record<string, string>> = Object.freeze({});
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

export class Router {
  readonly #exact = new Map<string, LiveRoute>();
  readonly #taken = new Map<string, string>();
  readonly #patterns = polka();
  #patternCount = 0;

  /** Throws `ROUTE_CONFLICT` naming both owners. */
  add(owner: Instance, route: AnyRoute): void {
    const shape = `${route.method} ${route.path.replace(/:[^/]+/g, ":")}`;
    const taken = this.#taken.get(shape);
    if (taken !== undefined) {
      throw new GatewayError(
        "ROUTE_CONFLICT",
        409,
        `route ${route.method} ${route.path} is registered by "${taken}" and by "${owner.id}"`,
      );
    }
    this.#taken.set(shape, owner.id);
    const names = parameterNames(route.path);
    const want: Want = { what: "route", name: `${route.method} ${route.path}`, access: route.access, owner: owner.id };
    const live: LiveRoute = { route, owner, names, want, bare: !(route.query || route.body || route.upload) };
    for (const method of route.head ? [route.method, "HEAD" as const] : [route.method]) {
      if (names.length === 0) this.#exact.set(`${method} ${route.path}`, live);
      else this.#patterns.add(method, pattern(route.path), live as never);
    }
    if (names.length > 0) this.#patternCount += 1;
  }

  find(method: string, path: string): RouteMatch | undefined {
    const exact = this.#exact.get(`${method} ${path}`);
    if (exact) return { live: exact, params: noParams };
    if (this.#patternCount === 0) return undefined;
    const found = this.#patterns.find(method as "GET", path);
    const live = found.handlers[0] as unknown as LiveRoute | undefined;
    return live ? { live, params: named(live, found.params) } : undefined;
  }

  /** Which methods exist on a path, for 405. */
  allowed(path: string): readonly string[] {
    return methods.filter((method) => this.find(method, path));
  }
}

function parameterNames(path: string): readonly string[] {
  return path
    .split("/")
    .flatMap((segment) => (segment === "*" ? ["*"] : segment.startsWith(":") ? [segment.slice(1)] : []));
}

function pattern(path: string): RegExp {
  let count = 0;
  const source = path.split("/").map((segment) => {
    if (segment === "*") return `(?<p${count++}>.+)`;
    if (segment.startsWith(":")) return `(?<p${count++}>[^/]+)`;
    return segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${source.join("/")}$`);
}

function named(live: LiveRoute, groups: Record<string, string>): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  for (const [index, name] of live.names.entries()) {
    const raw = groups[`p${index}`];
    if (raw !== undefined) params[name] = decode(raw);
  }
  return params;
}

function decode(raw: string): string {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new GatewayError("BAD_PATH", 400, "the path is not valid UTF-8");
  }
}
