/** `version`. */
import { hostVersion } from "../version.ts";
import type { Handler } from "./cli.ts";

export const version: Handler = async (cli) => {
  const facts = { version: hostVersion, node: process.version, platform: `${process.platform} ${process.arch}` };
  await cli.out.show(facts, () => cli.out.line(`chela ${hostVersion} (node ${process.version}, ${facts.platform})`));
};
