/**
 * An esbuild plugin: `import("a CommonJS package")` in the bundle gives the same names as in Node. esbuild alone gives
 * such a module nothing but `default`, so code that works from source would break in the binary only.
 */
import { readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { pathToFileURL } from "node:url";

const namespace = "cjs-names";

export function cjsNames(external) {
  return {
    name: namespace,
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, async (args) => {
        if (args.kind !== "dynamic-import" || args.pluginData === namespace || external.includes(args.path))
          return undefined;
        const { kind, resolveDir, importer } = args;
        const found = await build.resolve(args.path, { kind, resolveDir, importer, pluginData: namespace });
        if (found.external || found.errors.length > 0 || !isCommonJs(found.path)) return found;
        return { path: found.path, namespace };
      });
      build.onLoad({ filter: /.*/, namespace }, async ({ path }) => {
        const names = Object.keys(await import(pathToFileURL(path).href)).filter((name) =>
          /^[A-Za-z_$][\w$]*$/.test(name),
        );
        const others = names.filter((name) => name !== "default");
        const contents = `const m = require(${JSON.stringify(path)});\nexport default m;\nexport const { ${others.join(", ")} } = m;\n`;
        return { contents, loader: "js", resolveDir: dirname(path) };
      });
    },
  };
}

function isCommonJs(path) {
  const extension = extname(path);
  if (extension !== ".js") return extension === ".cjs";
  if (/^\s*(?:export|import)\b[^(]/m.test(readFileSync(path, "utf8"))) return false;
  return packageType(dirname(path)) !== "module";
}

function packageType(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).type;
  } catch {
    return dirname(folder) === folder ? undefined : packageType(dirname(folder));
  }
}
