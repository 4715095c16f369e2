/** Which names `/v1` answers to: agents under `chela` and under OpenClaw's aliases, and every `provider/model`. */
import type { AgentInfo, ModelInfo } from "@chela/sdk";

export interface ModelRow {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  /** Always empty: part of OpenClaw's rows. */
  readonly permission: readonly never[];
}

/** Where a request goes. An absent agent is whichever picks itself up. */
export type Destination = { readonly agent: string | undefined } | { readonly model: string };

export function modelRows(agents: readonly AgentInfo[], models: readonly ModelInfo[]): readonly ModelRow[] {
  const ids = agents.map((agent) => agent.id);
  return [
    row("chela", "chela"),
    ...ids.map((id) => row(`chela/${id}`, "chela")),
    row("openclaw", "openclaw"),
    row("openclaw/default", "openclaw"),
    ...ids.map((id) => row(`openclaw/${id}`, "openclaw")),
    ...models.filter((model) => model.model !== "*").map((model) => row(model.id, model.provider)),
  ];
}

/** Undefined: no agent of that name. `provider/model` is not checked here; the providers know. */
export function destination(model: string, agents: () => readonly AgentInfo[]): Destination | undefined {
  if (["chela", "openclaw", "chela/default", "openclaw/default", "openclaw:default"].includes(model))
    return { agent: undefined };
  const named = /^(?:chela\/|openclaw[/:]|agent:)(.*)$/s.exec(model)?.[1];
  if (named !== undefined) return agents().some((agent) => agent.id === named) ? { agent: named } : undefined;
  return model.includes("/") ? { model } : undefined;
}

/** True when the providers list the model, or take any name of that provider. */
export function isListed(id: string, models: readonly ModelInfo[]): boolean {
  return models.some((model) => model.id === id || (model.model === "*" && id.startsWith(`${model.provider}/`)));
}

function row(id: string, owner: string): ModelRow {
  return { id, object: "model", created: 0, owned_by: owner, permission: [] };
}
