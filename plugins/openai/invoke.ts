/** `/tools/invoke`: one tool, no model, through the same dispatch as an agent's calls (contract: OpenClaw §3.5). */
import { randomUUID } from "node:crypto";
import {
  type Agent,
  isObject,
  isSessionKey,
  jsonOf,
  Reply,
  type RouteRequest,
  type ToolInfo,
  type Tools,
  type Turn,
} from "@chela/sdk";

interface Asked {
  readonly tool: ToolInfo;
  /** JSON text. */
  readonly arguments: string;
  readonly session: string | null;
  readonly agent: string;
}

/** Why a call failed → status and the word for it in this dialect. */
const kinds: Readonly<Record<string, readonly [number, string]>> = {
  TOOL_UNKNOWN: [404, "not_found"],
  INVALID: [400, "invalid_request"],
  BAD_JSON: [400, "invalid_request"],
  FORBIDDEN: [403, "forbidden"],
  TOOL_DENIED: [403, "forbidden"],
  UNAVAILABLE: [503, "unavailable"],
  TOOL_ABORTED: [504, "timeout"],
};

export async function invoke(
  { body, identity, signal }: Pick<RouteRequest, "body" | "identity" | "signal">,
  { tools, agent }: { readonly tools: Tools; readonly agent: Pick<Agent, "agents"> },
): Promise<Reply> {
  const asked = read(body, tools);
  if (Reply.is(asked)) return asked;
  if (!agent.agents().some(({ id }) => id === asked.agent))
    return refusal(400, "invalid_request", `there is no agent "${asked.agent.slice(0, 100)}"`);
  const turn: Turn = {
    id: randomUUID(),
    session: asked.session,
    agent: asked.agent,
    identity,
    signal,
    origin: "direct",
    channel: "openai",
  };
  const call = { id: `call_${turn.id}`, name: asked.tool.name, arguments: asked.arguments };
  const { ok, output, code = "" } = await tools.run(call, turn);
  if (ok)
    return Reply.json({ ok: true, result: { content: [{ type: "text", text: output }], details: details(output) } });
  const [status, type] = kinds[code] ?? [500, "tool_error"];
  return refusal(status, type, output);
}

function read(body: unknown, tools: Tools): Asked | Reply {
  if (!isObject(body)) return refusal(400, "invalid_request", "the body must be a JSON object");
  const { tool, name, args, arguments: own, action, sessionKey, agentId, dryRun } = body;
  const wanted = textOf(tool) || textOf(name);
  if (wanted === "") return refusal(400, "invalid_request", "tools.invoke requires name");
  if (dryRun === true) return refusal(400, "invalid_request", "dryRun is not supported: nothing was run");
  const session = textOf(sessionKey) || null;
  if (session !== null && !isSessionKey(session))
    return refusal(400, "invalid_request", "sessionKey must have 1 to 200 characters and no control characters");
  const found = tools.list().find((one) => one.name === wanted);
  if (!found) return refusal(404, "not_found", `Tool not available: ${wanted.slice(0, 100)}`);
  const given = args ?? own ?? {};
  const input = typeof given === "string" ? jsonOf(given) : given;
  if (!isObject(input)) return refusal(400, "invalid_request", "args must be a JSON object");
  const whole = action !== undefined && input.action === undefined && takesAction(found) ? { action, ...input } : input;
  return { tool: found, arguments: JSON.stringify(whole), session, agent: textOf(agentId) || "main" };
}

function takesAction({ input }: ToolInfo): boolean {
  return isObject(input.properties) && Object.hasOwn(input.properties, "action");
}

/** The same as an object, where the tool answered one. */
function details(output: string): unknown {
  const value = jsonOf(output);
  return isObject(value) || Array.isArray(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function refusal(status: number, type: string, message: string): Reply {
  return Reply.json({ ok: false, error: { type, message } }, { status });
}
