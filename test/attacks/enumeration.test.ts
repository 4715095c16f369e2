/** Every entrance of every built-in plugin, as `plugins info` lists them: nobody gets in without, nobody above his scope. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Access, definePlugin, type PluginInfo, Type } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { makeTempDir } from "../kit/temp.ts";
import { bearer, call, gatewayWith, keyWith, send, upgrade } from "./kit.ts";

const levels = ["read", "write", "admin"] as const satisfies readonly Access[];
/** What the page needs before anybody has signed in; each says nothing of what runs here. */
const open = ["GET /", "GET /api/webui/session", "POST /api/webui/login", "POST /api/webui/logout", "/ui"];
const isOpen = ({ method, path }: { method?: string; path?: string; access: string }) =>
  open.includes(method ? `${method} ${path}` : `${path}`);
const rank = (access: string) => ["public", "read", "write", "admin"].indexOf(access);

/** One entrance of every kind at every level, so that the lists below cannot be empty. */
function probe(ran: string[], folder: string) {
  return definePlugin({
    id: "probe",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      for (const access of levels) {
        const note = (kind: string) => {
          ran.push(`${kind} ${access}`);
          return { ok: true };
        };
        ctx.route({ method: "PUT", path: `/probe/${access}/:id`, access, handler: () => note("route") });
        ctx.stream({ path: `/probe/live/${access}`, access, open: () => void note("stream") });
        ctx.method({ name: `probe.${access}`, access, handler: () => note("method") });
        ctx.command({ name: `probe-${access}`, about: "Probes.", access, run: () => note("command") });
        ctx.tool({
          name: `probe_${access}`,
          about: "Probes.",
          access,
          risk: "read",
          input: Type.Object({}),
          run: () => note("tool"),
        });
        ctx.static(`/probe/files/${access}`, folder, { access });
      }
    },
  });
}

function concrete(pattern: string): string {
  return pattern.replace(/:[A-Za-z]+\??/g, "x").replace(/\*/g, "x");
}

describe.each([
  ["below", "read"],
  ["below", "write"],
  ["with", "admin"],
] as const)("a caller %s every limit: scope %s", (_word, scope) => {
  const ran: string[] = [];
  let host: TestHost;
  let key: string;
  let infos: readonly PluginInfo[];

  beforeAll(async () => {
    const folder = makeTempDir("statics");
    writeFileSync(join(folder.path, "file.js"), "export {};\n");
    host = await gatewayWith([probe(ran, folder.path)]);
    key = await keyWith(host, [scope]);
    infos = host.plugins.list().map(({ id }) => host.plugins.info(id));
    return async () => {
      await host.stop();
      folder.remove();
    };
  });

  const entrances = <K extends keyof PluginInfo["contributions"]>(kind: K) =>
    infos.flatMap(({ contributions }) => contributions[kind] as PluginInfo["contributions"][K][number][]);
  const allowed = (access: string) => rank(scope) >= rank(access);

  it("every plugin runs, and none opens a door to everybody but the page", () => {
    expect(infos.filter(({ state }) => state !== "running")).toEqual([]);
    expect(infos.length).toBeGreaterThanOrEqual(9);
    const kinds = ["routes", "streams", "methods", "tools", "commands", "panels", "statics"] as const;
    for (const kind of kinds)
      for (const entry of entrances(kind).filter((one) => !isOpen(one)))
        expect(levels, JSON.stringify(entry)).toContain((entry as { access: string }).access);
    expect([...entrances("routes"), ...entrances("statics")].filter(isOpen)).toHaveLength(open.length);
  });

  it("what is open to everybody tells a stranger nothing, and is no way to write", async () => {
    for (const { method, path } of entrances("routes").filter(isOpen)) {
      const body = method === "POST" ? { body: "{}", headers: { "content-type": "application/json" } } : {};
      const { status, text } = await send(host, path, { method, ...body });
      expect([200, 400], `${method} ${path}`).toContain(status);
      for (const secret of [host.token, host.stateDir, "1.0.0"]) expect(text, path).not.toContain(secret);
    }
  });

  it("routes", async () => {
    for (const { method, path, access } of entrances("routes").filter((route) => !isOpen(route))) {
      const target = concrete(path);
      const nobody = await send(host, target, { method });
      expect(nobody.status, `${method} ${path} without a credential`).toBe(401);
      if (path.startsWith("/v1/") || path === "/tools/invoke")
        expect(JSON.parse(nobody.text)).toMatchObject({
          error: { message: expect.any(String), code: expect.anything() },
        });
      else if (path === "/api/call")
        expect(JSON.parse(nobody.text)).toEqual({
          ok: false,
          error: { code: "UNAUTHORIZED", message: "unauthorized" },
        });
      else expect(nobody.text, path).toBe("unauthorized\n");
      if (allowed(access) && scope === "admin") continue;
      const answer = await send(host, target, { method, headers: bearer(key) });
      if (allowed(access)) expect([401, 403], `${method} ${path}`).not.toContain(answer.status);
      else {
        expect(answer.status, `${method} ${path} with ${scope}`).toBe(403);
        expect(answer.text).toContain(`missing scope: ${access}`);
      }
    }
  });

  it("streams", async () => {
    for (const { path, access } of entrances("streams")) {
      expect(await upgrade(host, path), `${path} without a credential`).toBe(401);
      expect(await upgrade(host, `${path}?token=`, { cookie: "chela_token=" }), `${path} with an empty one`).toBe(401);
      expect(
        await upgrade(host, path, { ...bearer(key), origin: "https://evil.example" }),
        `${path} from a foreign page`,
      ).toBe(403);
      const answer = await upgrade(host, path, bearer(key));
      if (typeof answer === "object") answer.close();
      if (allowed(access)) expect(answer, path).toBeTypeOf("object");
      else expect(answer, `${path} with ${scope}`).toBe(403);
      expect(
        (await send(host, path, { headers: bearer(key) })).status,
        `${path} over plain HTTP`,
      ).toBeGreaterThanOrEqual(400);
    }
  });

  it("methods, which say nothing of what they would have said", async () => {
    for (const { name, access } of entrances("methods")) {
      const nobody = await send(host, "/api/call", { body: JSON.stringify({ method: name }) });
      expect(nobody.status, name).toBe(401);
      if (allowed(access)) continue;
      const { status, body } = await call(host, name, {}, key);
      expect(status, `${name} with ${scope}`).toBe(403);
      expect(body).toMatchObject({ ok: false, error: { code: "FORBIDDEN", message: `missing scope: ${access}` } });
    }
  });

  it("commands", async () => {
    for (const { name, access } of entrances("commands")) {
      const { status } = await call(host, "commands.run", { name, args: {} }, key);
      expect(status, `${name} with ${scope}`).toBe(allowed(access) ? 200 : 403);
    }
  });

  it("static files", async () => {
    for (const { path, access } of entrances("statics").filter((folder) => !isOpen(folder))) {
      expect((await send(host, `${path}/file.js`)).status, path).toBe(401);
      const answer = await send(host, `${path}/file.js`, { headers: bearer(key) });
      expect(answer.status, `${path} with ${scope}`).toBe(allowed(access) ? 200 : 403);
    }
  });

  it("tools, by way of a model that calls them", async () => {
    const tools = entrances("tools");
    expect(tools.length).toBeGreaterThanOrEqual(levels.length);
    if (scope === "read") return;
    for (const { name, access } of tools.filter((tool) => tool.name.startsWith("probe_"))) {
      ran.length = 0;
      const reply = await send(host, "/api/chat", {
        headers: bearer(key),
        body: JSON.stringify({ message: `/tool ${name} {}` }),
      });
      expect(reply.status).toBe(200);
      expect(ran, `${name} with ${scope}`).toEqual(allowed(access) ? [`tool ${access}`] : []);
    }
  });

  it("ran nothing on the way that the scope does not cover", () => {
    const outside = levels.filter((access) => !allowed(access));
    for (const access of outside) expect(ran.filter((entry) => entry.endsWith(access))).toEqual([]);
  });
});
