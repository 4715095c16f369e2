import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../kernel/plugins/catalog.ts";
import { startHost } from "../../kernel/testing.ts";
import { distFile } from "../kit/binary.ts";
import { tempDir, writeTree } from "../kit/temp.ts";

/** A TypeScript plugin with a second file, a package of its own and an asset, in a folder that has no SDK. */
function folder(): string {
  const root = tempDir("path");
  writeTree(root, {
    "package.json": JSON.stringify({
      name: "greeter",
      version: "1.0.0",
      type: "module",
      exports: "./index.ts",
      chela: { id: "greeter", host: "^1.0.0" },
      dependencies: { left: "1.0.0" },
    }),
    "index.ts": `import { readFileSync } from "node:fs";
import { definePlugin, Type } from "@chela/sdk";
import { left } from "left";
import { word } from "./lib/word.ts";
export default definePlugin({
  id: "greeter", version: "1.0.0", host: "^1.0.0",
  config: Type.Object({ n: Type.Integer({ default: 1 }) }),
  setup(ctx) {
    const asset: string = readFileSync(new URL("./asset.txt", import.meta.url), "utf8");
    ctx.route({ method: "GET", path: "/api/greeter", access: "read", handler: () => ({ word, left, asset, n: ctx.config.n }) });
  },
});
`,
    "lib/word.ts": 'export const word: string = "hello";\n',
    "asset.txt": "an asset",
    "node_modules/left/package.json":
      '{ "name": "left", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
    "node_modules/left/index.js": 'export const left = "a package";\n',
  });
  return root;
}

describe("a plugin in development", () => {
  it("runs from its folder, with its files, packages and assets, and leaves nothing there", async () => {
    const root = folder();
    await using host = await startHost({ plugins: [root] });
    const reply = await host.request("/api/greeter");
    expect(reply.json()).toEqual({ word: "hello", left: "a package", asset: "an asset", n: 1 });
    expect(host.plugins.list()).toMatchObject([{ id: "greeter", origin: "path", state: "running" }]);
    expect(readdirSync(root).sort()).toEqual(["asset.txt", "index.ts", "lib", "node_modules", "package.json"]);
    expect(readdirSync(join(root, "node_modules"))).toEqual(["left"]);
  });

  it("is read again by reload, and the version before stays while it does not compile", async () => {
    const root = folder();
    await using host = await startHost({ plugins: [root] });
    writeFileSync(join(root, "lib/word.ts"), 'export const word: string = "salut";\n');
    await host.plugins.reload("greeter");
    expect((await host.request("/api/greeter")).json()).toMatchObject({ word: "salut" });
    writeFileSync(join(root, "lib/word.ts"), "export const word: = ;\n");
    await host.plugins.reload("greeter");
    expect((await host.request("/api/greeter")).json()).toMatchObject({ word: "salut" });
  });

  it("that is broken is told at once", async () => {
    const root = folder();
    writeFileSync(join(root, "lib/word.ts"), "export const word: = ;\n");
    await expect(startHost({ plugins: [root] })).rejects.toMatchObject({
      code: "PLUGIN_COMPILE",
      message: expect.stringContaining("lib/word.ts:1"),
    });
    const text = readFileSync(join(root, "package.json"), "utf8");
    writeFileSync(join(root, "package.json"), text.replace("^1.0.0", "^9.0.0"));
    await expect(startHost({ plugins: [root] })).rejects.toMatchObject({ code: "PLUGIN_INCOMPATIBLE" });
    await expect(startHost({ plugins: [tempDir()] })).rejects.toMatchObject({
      code: "PLUGIN_MANIFEST",
      message: expect.stringContaining("plugins new"),
    });
  });

  it("keeps one compiled file per plugin, of what is current", async () => {
    const [root, stateDir] = [folder(), tempDir("state")];
    const options = {
      builtins: [],
      stateDir,
      hostVersion: "1.0.0",
      sdkDir: dirname(distFile("sdk/index.js")),
      paths: [root],
    };
    const catalog = await openCatalog(options);
    const first = catalog.get("greeter")!;
    writeFileSync(join(root, "lib/word.ts"), 'export const word: string = "salut";\n');
    await catalog.refresh();
    const second = catalog.get("greeter")!;
    expect(second.hash).not.toBe(first.hash);
    expect(existsSync(first.entry)).toBe(false);
    expect(readdirSync(dirname(second.entry)).sort()).toEqual(
      [`${second.hash}.json`, `greeter-${second.hash}.mjs`].sort(),
    );
  });
});
