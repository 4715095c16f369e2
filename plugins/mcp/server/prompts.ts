/** The skills as prompts: the text of a skill, and what is to be done with it. Only those that lie in the workspace can be read. */
import { isAbsolute } from "node:path";
import { allows, type Identity, type SkillInfo } from "@chela/sdk";
import type { Ctx } from "../needs.ts";
import type { PromptOffer } from "./offered.ts";

const access = "read";
const request = { name: "request", description: "What is to be done with it.", required: false };

export function promptsOf({ use }: Ctx): PromptOffer<Identity> {
  const readable = async (identity: Identity): Promise<readonly SkillInfo[]> => {
    if (!use.skills || !use.workspace || !allows(identity, access)) return [];
    return (await use.skills.list()).filter(({ path }) => !isAbsolute(path));
  };
  return {
    isThere: () => use.skills !== undefined && use.workspace !== undefined,
    list: async (identity) =>
      (await readable(identity)).map(({ name, description }) => ({ name, description, arguments: [request] })),
    // What is to be done is free text.
    complete: async (name, argument, identity) => {
      const isKnown = (await readable(identity)).some((each) => each.name === name);
      return isKnown && argument.name === request.name ? [] : undefined;
    },
    get: async (name, { request: wanted = "" }, identity) => {
      const skill = (await readable(identity)).find((each) => each.name === name);
      const text = skill && (await use.workspace?.read(skill.path));
      if (text === undefined) return undefined;
      return { description: skill?.description ?? "", text: wanted.trim() === "" ? text : `${text}\n\n${wanted}` };
    },
  };
}
