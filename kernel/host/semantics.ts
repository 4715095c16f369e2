/** What is wrong with a config beyond its schemas: asks the plugins that are live (`config:validate`). */
import type { ConfigProblem } from "@chela/sdk";
import { type Snapshot, withProblems } from "../config/snapshot.ts";
import type { Generation } from "./compose.ts";

export async function semanticProblems({ hooks }: Generation, { merged }: Snapshot): Promise<readonly ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  await hooks.run("config:validate", merged, (problem) => problems.push(problem));
  return problems;
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
