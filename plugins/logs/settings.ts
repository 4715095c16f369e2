/** The section `logging`: ClawGo's keys, and what they mean here. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Static, Type } from "@chela/sdk";

export const LoggingSection = Type.Object({
  enabled: Type.Boolean({ default: true, description: "Write the log to a file; standard output is not affected." }),
  dir: Type.String({
    default: "",
    description: "Folder of the file. Empty: `logs` in the state dir; relative: below the state dir.",
  }),
  filename: Type.String({
    default: "chela.log",
    pattern: "^[^/\\\\]*[^/\\\\.][^/\\\\]*$",
    maxLength: 128,
    description: "Name of the file in dir.",
  }),
  level: Type.Optional(
    Type.Union([Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn"), Type.Literal("error")], {
      description: "Absent: info, or what the command line says.",
    }),
  ),
  max_size_mb: Type.Integer({
    minimum: 1,
    maximum: 10_240,
    default: 20,
    description: "The file is rotated at this size.",
  }),
  retention_days: Type.Integer({
    minimum: 1,
    maximum: 36_500,
    default: 3,
    description: "Rotated files are deleted after it.",
  }),
  max_total_mb: Type.Integer({ minimum: 1, maximum: 1_048_576, default: 200, description: "All log files together." }),
});

export type Logging = Static<typeof LoggingSection>;

export const megabyte = 1_048_576;
export const dayMs = 86_400_000;

/** Absolute. */
export function logDir(dir: string, stateDir: string): string {
  if (dir.trim() === "") return join(stateDir, "logs");
  const home = dir === "~" || dir.startsWith("~/") ? join(homedir(), dir.slice(1)) : dir;
  return resolve(stateDir, home);
}
