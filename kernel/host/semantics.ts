/** What is wrong with a config beyond its schemas: asks the plugins that are live (`config:validate`). */
import type { ConfigProblem } from "@chela/sdk";
import { type Snapshot, withProblems } from "../config/snapshot.ts";
import type { Generation } from "./compose.ts";

export async function semanticProblems(
  generation: Generation,
  { merged }: Snapshot,
): Promise<readonly ConfigProblem[]> {
  const { hooks } = generation;
  const problems = hiddenPaths(generation, merged);
  await hooks.run("config:validate", merged, (problem) => problems.push(problem));
  return problems;
}

/** A base path that is the beginning of an address of our own would hide what is there. */
function hiddenPaths({ instances }: Generation, merged: Snapshot["merged"]): ConfigProblem[] {
  const { basePath = "" } = (merged.gateway ?? {}) as { basePath?: string };
  if (basePath === "") return [];
  const own = [...instances.values()].flatMap(({ contributions: { routes, streams, statics } }) => [
    ...[...routes, ...streams].map(({ path }) => path),
    ...statics.map(({ prefix }) => prefix),
  ]);
  const hidden = ["/health", "/ready", ...own].find((path) => `${path}/`.startsWith(`${basePath}/`));
  if (hidden === undefined) return [];
  return [{ path: "gateway.basePath", message: `would hide ${hidden}; choose another one`, level: "error" }];
}

/** `snapshot` with what these plugins have against it: others, or nobody, were asked when it was read. */
export async function judged(generation: Generation, snapshot: Snapshot): Promise<Snapshot> {
  const told = new Set(snapshot.problems.map(({ path, message }) => `${path} ${message}`));
  const found = await semanticProblems(generation, snapshot);
  return withProblems(
    snapshot,
    found.filter(({ path, message }) => !told.has(`${path} ${message}`)),
  );
}
