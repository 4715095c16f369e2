/** The shell as a whole: its tools while it is on, and the end of everything it started when it goes. */
import type { Tool, TSchema } from "@chela/sdk";
import type { Ctx } from "../world.ts";
import type { Processes } from "./processes.ts";
import { shellTools } from "./tools.ts";

export class ShellSwitch {
  #running = new AbortController();
  #processes: Promise<Processes> | undefined;

  tools(ctx: Ctx): Tool<TSchema>[] {
    return shellTools(ctx, () => this.#load(), this.#running.signal);
  }

  /** Ends what runs. Tools made before it end, too; those made after it begin anew. */
  async off(): Promise<void> {
    this.#running.abort();
    this.#running = new AbortController();
    const processes = this.#processes;
    this.#processes = undefined;
    await (await processes)?.stopAll();
  }

  /** A session is gone, or goes on under the name `to`. */
  async sessionGone(session: string, to: string | undefined): Promise<void> {
    const processes = await this.#processes;
    if (to === undefined) await processes?.end(session);
    else processes?.rename(session, to);
  }

  #load(): Promise<Processes> {
    this.#processes ??= import("./processes.ts").then(({ Processes }) => new Processes());
    return this.#processes;
  }
}
