/** What is known against a config file: the sections' own rules, and what the plugins say of it. */
import { type ConfigProblem, GatewayError, messageOf } from "@chela/sdk";
import type { ConfigDocument } from "./document.ts";
import { kernelSections } from "./sections.ts";
import type { ConfigHost, ConfigTrouble } from "./service.ts";
import { isAtOrBelow, type Snapshot, withProblems } from "./snapshot.ts";

/** Below the kernel's `plugins`, but a plugin's own. */
const pluginConfig = /^plugins\.entries\..+\.config(?:[.[]|$)/;

/** The snapshot of a file with everything that is known against it. */
export async function checked(host: ConfigHost, document: ConfigDocument): Promise<Snapshot> {
  const snapshot = await host.resolve(document);
  return withProblems(snapshot, await host.validateSemantics(snapshot));
}

/** Errors in what the kernel itself reads: with these nothing can run. */
export function kernelErrors(snapshot: Snapshot): readonly ConfigProblem[] {
  return errorsOf(snapshot).filter(({ path }) => isKernelPath(path));
}

export function errorsOf({ problems }: Snapshot): readonly ConfigProblem[] {
  return problems.filter(({ level }) => level === "error");
}

export function isKernelPath(path: string): boolean {
  return kernelSections.some((section) => isAtOrBelow(path, section.path)) && !pluginConfig.test(path);
}

/** What a refused file tells in `status` and on the event stream. */
export function troubleOf(error: unknown): ConfigTrouble {
  const message = messageOf(error);
  const { line, column } = (GatewayError.is(error) ? error.details : undefined) ?? {};
  const place = typeof line === "number" && typeof column === "number" ? { line, column } : {};
  return { message, ...place, at: Date.now() };
}
