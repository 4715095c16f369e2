/** From the flags of a command line to what its command is handed. */
import colors from "picocolors";
import type { Cli, Flags, Options } from "./cli.ts";
import type { Io } from "./io.ts";
import { createOutput, type Output } from "./output.ts";

/** The flags among parsed options. */
export function flagsOf(values: Options): Flags {
  const text = (key: string) => (typeof values[key] === "string" ? (values[key] as string) : undefined);
  return {
    config: text("config"),
    stateDir: text("stateDir"),
    url: text("url"),
    token: text("token"),
    json: values.json === true,
    color: values.color !== false,
    verbose: values.verbose === true,
  };
}

export function outputFor(flags: Flags, io: Io): Output {
  return createOutput(io, { ...flags, createColors: colors.createColors });
}

export async function openCli(flags: Flags, io: Io): Promise<Cli> {
  const { resolvePlaces } = await import("./places.ts");
  return { io, out: outputFor(flags, io), flags, places: resolvePlaces(flags, io) };
}
