/** Turns of the agent: a gateway's config before the benchmark's upstream, and requests that go through many sessions. */
import { post } from "./load.mjs";
import { token } from "./processes.mjs";

/** Turns of one session before the next begins, so that the prompt stays of a usual length. */
const turnsPerSession = 5;

export function turnSetup(upstream, model = "m4") {
  const base = `http://127.0.0.1:${upstream.port}/v1`;
  return {
    models: { providers: { bench: { api_base: base, api_key: "u", models: [model] } } },
    agents: { defaults: { model: { primary: `bench/${model}` } } },
  };
}

export function turnRequest(number, { connections, stream = false }) {
  const session = `bench-${Math.floor(number / (connections * turnsPerSession))}-${number % connections}`;
  const body = { model: "chela", stream, messages: [{ role: "user", content: "Say something about foxes." }] };
  return post("/v1/chat/completions", body, { authorization: `Bearer ${token}`, "x-openclaw-session-key": session });
}
