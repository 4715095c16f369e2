/** Skills: folders with a SKILL.md that tell an agent how to do something. */
import { defineService } from "../service.ts";

/** A skill as the prompt lists it; its text is read when it is needed. */
export interface SkillInfo {
  readonly name: string;
  readonly description: string;
  /** Path of its SKILL.md, below the workspace where it lies there. */
  readonly path: string;
}

/** Lists what is switched on. A change of the list or of a text in it is an event: `skills_changed`. */
export interface Skills {
  list(agent?: string): Promise<readonly SkillInfo[]>;
}

/** Name it in `needs`. */
export const skills = defineService<Skills>("skills", "1.0.0");
