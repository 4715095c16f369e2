/** Who answers a request: an agent, or a model that was named. */
import type { Agent, Providers, RouteRequest } from "@chela/sdk";
import { invalid, unknownModel } from "./errors.ts";
import { header } from "./header.ts";
import { destination, isListed } from "./models.ts";

export interface Face {
  readonly providers: Providers;
  readonly agent: Agent;
}

export type Target = { readonly asked: string } & (
  | { readonly model: string }
  /** An absent agent is whichever picks itself up. */
  | { readonly agent: string | undefined; readonly override: string | undefined }
);

/** From the body's `model` and OpenClaw's headers. Throws 404 for a name that nobody has, 400 for an unknown agent. */
export function targetOf({ body, headers }: RouteRequest<unknown, unknown>, { providers, agent }: Face): Target {
  const { model: named } = body as { model?: unknown };
  const model = typeof named === "string" ? named.trim() : "";
  const to = destination(model === "" ? "chela" : model, () => agent.agents());
  if (!to) throw unknownModel(model);
  if ("model" in to) return { asked: model, model: to.model };
  const agentId = header(headers["x-openclaw-agent-id"]);
  if (agentId !== undefined && !agent.agents().some(({ id }) => id === agentId))
    throw invalid(`Unknown agent '${agentId.slice(0, 100)}'.`, "x-openclaw-agent-id");
  const override = header(headers["x-openclaw-model"]);
  if (override !== undefined && !isListed(override, providers.models())) throw unknownModel(override);
  return { asked: model || "chela", agent: agentId ?? to.agent, override };
}
