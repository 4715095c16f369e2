/**
 * Nobody is left behind by a gateway that is killed: a shell is told of each group of processes that begins and ends. Its input
 * ends with the gateway, whatever ended that; then it ends the groups that are left. It lives while there are any.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { childEnv, grouped } from "./child.ts";

const graceSec = 2;
const idleMs = 10_000;

/** Reads `+ GROUP` and `- GROUP`. */
const script = `
trap '' HUP INT TERM
left=
while read -r what group; do
  if [ "$what" = + ]; then left="$left $group"; continue; fi
  others=
  for one in $left; do [ "$one" = "$group" ] || others="$others $one"; done
  left=$others
done
[ -n "$left" ] || exit 0
for one in $left; do kill -s TERM -- "-$one" 2>/dev/null; done
sleep ${graceSec}
for one in $left; do kill -s KILL -- "-$one" 2>/dev/null; done
`;

export class Orphans {
  readonly #groups = new Set<number>();
  #shell: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** Before a child is started: then there is no moment in which it runs and nobody would end it. */
  prepare(): void {
    if (!grouped) return;
    this.#shell ??= this.#start();
    if (this.#groups.size === 0) this.#rest();
  }

  /** The child leads a group of its own. */
  watch(child: ChildProcess): void {
    const { pid } = child;
    if (!grouped || pid === undefined) return;
    clearTimeout(this.#idle);
    this.#groups.add(pid);
    const known = this.#shell;
    this.#shell ??= this.#start();
    if (known) this.#tell(`+ ${pid}\n`);
    child.once("exit", () => this.#forget(pid));
  }

  #forget(pid: number): void {
    this.#groups.delete(pid);
    this.#tell(`- ${pid}\n`);
    if (this.#groups.size === 0) this.#rest();
  }

  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), idleMs).unref();
  }

  /** Nobody is watched any more; the shell ends what is left. */
  close(): void {
    clearTimeout(this.#idle);
    this.#shell?.stdin?.end();
    this.#shell = undefined;
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(line);
  }

  /** Knows from the start whom there is; one that somebody ended is replaced with the next child. */
  #start(): ChildProcess {
    const shell = spawn("/bin/sh", ["-c", script], {
      cwd: "/",
      env: childEnv(),
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    const gone = () => {
      if (this.#shell === shell) this.#shell = undefined;
    };
    shell.on("error", gone).on("exit", gone);
    shell.stdin?.on("error", gone);
    // It ends by itself and holds nobody up.
    shell.unref();
    (shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    for (const pid of this.#groups) shell.stdin?.write(`+ ${pid}\n`);
    return shell;
  }
}
