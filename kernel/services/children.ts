/** The `children` service as one plugin gets it: what it starts belongs to its scope and ends with it. Loaded at the first child. */
import type { Child, Children } from "@chela/sdk";
import type { Scope } from "../instance/scope.ts";
import type { Orphans } from "../process/orphans.ts";
import { withSignals } from "../signals.ts";

/** Of nobody: the children end with the host, or with its process. */
export function childrenService(): Children {
  const load = () => import("../process/children.ts");
  let orphans: Promise<Orphans> | undefined;
  const known = () => {
    orphans ??= import("../process/orphans.ts").then(({ Orphans }) => new Orphans());
    return orphans;
  };
  return {
    run: async (spec, limits) => (await load()).runLimited(spec, limits, await known()),
    start: async (spec) => (await load()).startChild(spec, await known()),
    which: async (command) => (await load()).whichProgram(command),
  };
}

export function childrenOf(scope: Scope, host: Children): Children {
  return {
    run: async (spec, limits) => {
      scope.assertOpen(`run ${spec.command}`);
      const signals = limits.signal ? [limits.signal, scope.signal] : [scope.signal];
      const running = withSignals(signals, (signal) => host.run(spec, { ...limits, signal }));
      const forget = scope.own("child", spec.command, () => running.then(nothing, nothing));
      return running.finally(forget);
    },
    start: async (spec) => {
      scope.assertOpen(`start ${spec.command}`);
      const child = await host.start(spec);
      await keep(scope, spec.command, child);
      return child;
    },
    which: host.which,
  };
}

/** The scope may have been closed while the child was starting. */
async function keep(scope: Scope, label: string, child: Child): Promise<void> {
  try {
    const forget = scope.own("child", label, () => child.stop());
    void child.exit.then(forget);
  } catch (error) {
    await child.stop(0);
    throw error;
  }
}

function nothing(): void {}
