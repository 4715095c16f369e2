/**
 * An esbuild plugin: what is built in gets the SDK with our few builders of schemas for typebox's many, which would be a
 * sixth of all that a start reads. Plugin authors get typebox itself. A builder that we do not have ends the build.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Type } from "./builders.mjs";

const builtIn = "?built-in";
const typebox = /^export \{[^}]*\bType\b[^}]*\} from "typebox";$/m;
const called = /\bType\.(\w+)\(/g;
const recordOfOddKeys = /\bType\.Record\((?!\s*Type\.String\(\),)/;

export function leanType(root) {
  const sdk = join(root, "sdk/index.ts");
  const ours = `export { Type } from ${JSON.stringify(join(root, "kernel/build/builders.mjs"))};`;
  return {
    name: "lean-type",
    setup(build) {
      build.onResolve({ filter: /^@chela\/sdk$/ }, () => ({ path: sdk, suffix: builtIn }));
      build.onLoad({ filter: /[\\/]sdk[\\/]index\.ts$/ }, ({ path, suffix }) => {
        if (suffix !== builtIn) return undefined;
        const contents = readFileSync(path, "utf8").replace(typebox, () => ours);
        return { contents, loader: "ts", resolveDir: dirname(path) };
      });
      build.onLoad({ filter: /[\\/](?:kernel|plugins)[\\/].*\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        const lacking = [...text.matchAll(called)].find(([, name]) => !Object.hasOwn(Type, name));
        const odd = lacking?.[0] ?? recordOfOddKeys.exec(text)?.[0];
        if (odd === undefined) return undefined;
        return {
          errors: [{ text: `${path}: kernel/build/builders.mjs has no ${odd}…): write it out, or add it there` }],
        };
      });
    },
  };
}
