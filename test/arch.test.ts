/** The rules of the code that a compiler cannot know: who may import whom, and how large things may get. */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageName, readSources, resolveImport, root, type SourceFile } from "./kit/sources.ts";

const sources = readSources(["sdk", "kernel", "plugins"]);
const kernel = sources.filter(({ path }) => path.startsWith("kernel/"));
const byPath = new Map(sources.map((source) => [source.path, source]));

/**
 * Where a package of the kernel may be named; every other one has exactly one file, whichever it is. A folder ends in `/`.
 * ws has one server door; its clients are the command line's and the test kit's.
 */
const doors: Readonly<Record<string, string | readonly string[]>> = {
  tapable: "kernel/hooks.ts",
  polka: "kernel/routes.ts",
  ws: ["kernel/streams.ts", "kernel/sockets/socket.ts", "kernel/cli/", "kernel/testing/"],
  ajv: "kernel/validate.ts",
  "ajv-formats": "kernel/validate.ts",
  chokidar: "kernel/watch.ts",
  pino: "kernel/log.ts",
  busboy: "kernel/http/upload.ts",
  sirv: "kernel/http/static.ts",
  mrmime: "kernel/http/static.ts",
  semver: "kernel/versions.ts",
  undici: "kernel/net/fetch.ts",
  "ipaddr.js": "kernel/net/addresses.ts",
  "jsonc-parser": "kernel/config/document.ts",
  commander: "kernel/cli/",
  "cli-table3": "kernel/cli/",
  picocolors: "kernel/cli/",
};

/** Everything that breaks a rule, as `file: what`; a rule holds when the list is empty. */
function offences(of: readonly SourceFile[], judge: (source: SourceFile) => readonly string[]): string[] {
  return of.flatMap((source) => judge(source).map((what) => `${source.path}: ${what}`));
}

function packagesOf(folder: string): ReadonlySet<string> {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(root, folder, "package.json"), "utf8"),
  );
  return new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]);
}

function bare(source: SourceFile): string[] {
  return source.imports.map(({ specifier }) => specifier).filter((specifier) => !/^(\.|node:)/.test(specifier));
}

/** Relative imports that leave `folder` or name a file that is not there. */
function strays(source: SourceFile, folder: string): string[] {
  const targets = source.imports
    .map(({ specifier }) => resolveImport(source.path, specifier))
    .filter((path) => path !== undefined);
  const isThere = (path: string) =>
    byPath.has(path) || (/\.(svg|css|json)$/.test(path) && existsSync(join(root, path)));
  return targets.filter((path) => !path.startsWith(folder) || !isThere(path)).map((path) => `imports ${path}`);
}

describe("directions", () => {
  it("the sdk imports typebox and itself; its test kit alone opens the kernel's", () => {
    const sdk = sources.filter(({ path }) => path.startsWith("sdk/"));
    const found = offences(sdk, (source) => [
      ...strays(source, "sdk/"),
      ...bare(source)
        .filter((name) => name !== "typebox" && !(source.path === "sdk/testing.ts" && name === "@chela/kernel/testing"))
        .map((name) => `imports ${name}`),
    ]);
    expect(found).toEqual([]);
  });

  it("the kernel imports the sdk, itself and the packages it declares", () => {
    const declared = new Set([...packagesOf("kernel"), ...packagesOf(".")]);
    const found = offences(kernel, (source) => [
      ...strays(source, "kernel/"),
      ...bare(source)
        .filter((name) => name !== "@chela/sdk" && (name.startsWith("@chela/") || !declared.has(packageName(name))))
        .map((name) => `imports ${name}`),
    ]);
    expect(found).toEqual([]);
  });

  it("a plugin imports the sdk, its own folder and its own packages: no kernel, no other plugin, not even a type", () => {
    const found = offences(
      sources.filter(({ path }) => path.startsWith("plugins/")),
      (source) => {
        const folder = source.path.split("/", 2).join("/");
        const declared = new Set([...packagesOf(folder), ...(folder === "plugins/store" ? packagesOf(".") : [])]);
        return [
          ...strays(source, `${folder}/`),
          ...bare(source)
            .filter((name) => !/^@chela\/sdk(?:\/panel)?$/.test(name) && !declared.has(packageName(name)))
            .map((name) => `imports ${name}`),
        ];
      },
    );
    expect(found).toEqual([]);
  });

  it("each package has one door in the kernel", () => {
    const users = new Map<string, string[]>();
    for (const source of kernel) {
      for (const name of new Set(bare(source).map(packageName)))
        users.set(name, [...(users.get(name) ?? []), source.path]);
    }
    users.delete("@chela/sdk");
    const wrong = [...users].filter(([name, files]) => {
      const door = doors[name];
      return door === undefined
        ? files.length > 1
        : !files.every((file) => [door].flat().some((at) => passes(file, at)));
    });
    expect(wrong).toEqual([]);
  });

  it("no module waits for itself: there are no cycles of imports that run", () => {
    expect(cycles()).toEqual([]);
  });
});

function passes(file: string, door: string): boolean {
  return door.endsWith("/") ? file.startsWith(door) : file === door;
}

/** Each cycle of static imports of values, as `a → b → a`. */
function cycles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) return void found.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
    if (done.has(path)) return;
    for (const { specifier, type, dynamic } of byPath.get(path)?.imports ?? []) {
      if (type || dynamic) continue;
      const target = resolveImport(path, specifier);
      if (target !== undefined) walk(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of sources) walk(path, []);
  return found;
}

describe("reach", () => {
  /** What runs in the binary's process only, never in a host that a test or another program made. */
  const isBinary = (path: string) => /^kernel\/(cli\/|bin\.ts|process\/(?:boot|process-events)\.ts)/.test(path);

  it("only the binary ends the process", () => {
    const found = offences(sources, ({ path, members }) =>
      members.has("process.exit") && !isBinary(path) ? ["process.exit"] : [],
    );
    expect(found).toEqual([]);
  });

  it("only the binary prints", () => {
    const found = offences(sources, ({ path, members }) =>
      isBinary(path) ? [] : [...members].filter((name) => /^console\.|^process\.(stdout|stderr)$/.test(name)),
    );
    expect(found).toEqual([]);
  });

  it("only a plugin's index.ts has a default export, and each has one", () => {
    const isEntry = (path: string) => /^plugins\/[^/]+\/index\.ts$/.test(path);
    const found = offences(sources, ({ path, program }) => {
      const has = program.body.some((node) => node.type === "ExportDefaultDeclaration");
      return has === isEntry(path) ? [] : [has ? "has a default export" : "has no default export"];
    });
    expect(found).toEqual([]);
  });

  it("modules hold no mutable state", () => {
    expect(offences(sources, ({ program }) => program.body.flatMap(mutableState))).toEqual([]);
  });

  it("importing the sdk, a plugin or the kernel does nothing", () => {
    const found = offences(sources, ({ path, program }) => {
      if (path === "kernel/bin.ts" || path === "plugins/webui/app/main.ts") return [];
      const acts = program.body.filter((node) => !/^(Import|Export|TS)|Declaration$/.test(node.type));
      return acts.map((node) => `runs a ${node.type} when it is imported`);
    });
    expect(found).toEqual([]);
  });
});

type Statement = SourceFile["program"]["body"][number];

/** `let`, and collections that start empty: they are there to be filled. */
function mutableState(statement: Statement): string[] {
  const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (node?.type !== "VariableDeclaration") return [];
  if (node.kind !== "const") return [`module-level ${node.kind}`];
  return node.declarations.flatMap(({ init }) => {
    const made = init?.type === "NewExpression" && init.callee.type === "Identifier" ? init : undefined;
    const collection =
      made?.callee.type === "Identifier" && /^(Map|Set)$/.test(made.callee.name) && made.arguments.length === 0;
    const list = init?.type === "ArrayExpression" && init.elements.length === 0;
    return collection || list ? ["a module-level collection that starts empty"] : [];
  });
}

describe("size and form", () => {
  it("files have at most 250 lines", () => {
    expect(offences(sources, ({ lines }) => (lines > 250 ? [`${lines} lines`] : []))).toEqual([]);
  });

  it("functions have at most 60 lines", () => {
    const found = offences(sources, ({ functions }) =>
      functions
        .filter(({ lines }) => lines > 60)
        .map(({ name, line, lines }) => `line ${line}, ${name}: ${lines} lines`),
    );
    expect(found).toEqual([]);
  });

  it("nine functions of ten have at most 30 lines", () => {
    const all = sources.flatMap(({ functions }) => functions.map(({ lines }) => lines)).sort((a, b) => a - b);
    expect(all[Math.floor(all.length * 0.9)]).toBeLessThanOrEqual(30);
  });

  it("file names are kebab-case and every file opens by saying what it owns", () => {
    const found = offences(sources, ({ path, text }) => [
      ...(/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(basename(path)) ? [] : ["is not kebab-case"]),
      ...(/^(#!.*\n)?\/\*\*/.test(text) ? [] : ["opens without a comment"]),
    ]);
    expect(found).toEqual([]);
  });

  it("nothing is left for later", () => {
    expect(offences(sources, ({ text }) => text.match(/\b(TODO|FIXME|XXX|HACK)\b/g) ?? [])).toEqual([]);
  });
});

describe("tests", () => {
  const tests = readSources(["test"]).filter(({ path }) => path.endsWith(".test.ts"));

  it("do not sleep: they poll with a deadline", () => {
    const found = offences(tests, ({ imports, text }) => [
      ...imports
        .filter(({ specifier }) => specifier === "node:timers/promises")
        .map(({ specifier }) => `imports ${specifier}`),
      ...(/setTimeout\(\s*(resolve|done|r)\b/.test(text) ? ["sleeps with setTimeout"] : []),
    ]);
    expect(found).toEqual([]);
  });
});
