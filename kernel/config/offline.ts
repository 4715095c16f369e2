/** The `config` service without a running gateway, for the CLI: everything but applying, which the next start does. */
import type { Config, ConfigProblem } from "@chela/sdk";
import { planChanges } from "./classify.ts";
import { documentOf } from "./disk.ts";
import { type ConfigDocument, missingDocument } from "./document.ts";
import { ConfigFile, type FileOptions } from "./file.ts";
import { troubleOf } from "./judge.ts";
import type { Env } from "./locate.ts";
import type { Section } from "./sections.ts";
import { type ConfigTrouble, createConfigService } from "./service.ts";
import { resolveConfig, type SectionValidator, type Snapshot, withProblems } from "./snapshot.ts";

export interface OfflineOptions extends FileOptions {
  readonly sections: readonly Section[];
  readonly env: Env;
  readonly validate: SectionValidator;
  readonly validateSemantics?: (next: Snapshot) => Promise<readonly ConfigProblem[]>;
}

/** A file that does not parse is no error here but `trouble()`: rolling back must still be possible. */
export async function openOffline(options: OfflineOptions): Promise<Config> {
  const { sections, env, validate } = options;
  const file = await ConfigFile.open(options);
  let snapshot = await resolveConfig(missingDocument, { sections, env, validate });
  let trouble: ConfigTrouble | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  const semantics = options.validateSemantics ?? (() => Promise.resolve([]));
  const resolve = (document: ConfigDocument) =>
    resolveConfig(document, { sections, env, validate, previous: snapshot });
  try {
    const read = await resolve(documentOf(file.state, file.path));
    snapshot = withProblems(read, await semantics(read));
  } catch (error) {
    trouble = troubleOf(error);
  }
  return createConfigService({
    file,
    sections: () => sections,
    snapshot: () => snapshot,
    resolve,
    apply: (next) => {
      const pending = planChanges(snapshot, next, sections).map(({ path }) => path);
      snapshot = next;
      return Promise.resolve({ applied: [], restarted: [], pending, failed: [], hash: next.hash });
    },
    exclusive: (work) => {
      const run = queue.then(work);
      queue = run.catch(() => undefined);
      return run;
    },
    validateSemantics: semantics,
    pending: () => [],
    trouble: () => trouble,
    setTrouble: (next) => {
      trouble = next;
    },
  });
}
