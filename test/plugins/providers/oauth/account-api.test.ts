/** Where the requests of accounts go, and what of a request goes there: some vendors serve accounts elsewhere than keys. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { passesStraight } from "../../../../plugins/providers/passes.ts";
import { toSpec } from "../../../../plugins/providers/settings.ts";
import { responsesBody } from "../../../../plugins/providers/wire/responses/request.ts";
import { tempDir } from "../../../kit/temp.ts";
import { ask } from "../kit.ts";
import { accountHost, never } from "./kit.ts";

it.each([
  ["codex", {}, "https://chatgpt.com/backend-api/codex"],
  ["codex", { api_base: "https://api.openai.com/v1" }, "https://chatgpt.com/backend-api/codex"],
  ["codex", { api_base: "https://gateway.example/v1" }, undefined],
  ["kimi", {}, "https://api.kimi.com/coding/v1"],
  ["kimi", { api_base: "https://api.moonshot.cn/v1" }, undefined],
  ["qwen", {}, "https://portal.qwen.ai/v1"],
  ["claude", {}, undefined],
  // A server of one's own under a vendor's name has nothing to do with the vendor's API.
  ["codex", { oauth: { auth_url: "http://127.0.0.1:9/a", token_url: "http://127.0.0.1:9/t" } }, undefined],
])("an account of %s with %j is served at %s", async (provider, more: Record<string, unknown>, base) => {
  const oauth = { provider, client_id: "c", ...(more.oauth as object) };
  const stateDir = tempDir("state");
  mkdirSync(join(stateDir, "auth"));
  writeFileSync(join(stateDir, "auth", "a.json"), JSON.stringify({ provider, access_token: "t", email: "a@x.org" }));
  const kit = await accountHost({ stateDir, providers: { main: { auth: "oauth", ...more, oauth } } });
  const signed = await kit.accounts.of("main")[0]?.token(never);
  expect(signed).toMatchObject({ token: "t" });
  expect(signed?.account?.baseUrl).toBe(base);
});

const extra = {
  user: "u",
  safety_identifier: "s",
  truncation: "auto",
  previous_response_id: "r",
  store: true,
  top_p: 0.5,
};
const request = ask("codex/gpt-4o", { maxTokens: 9, temperature: 0.5, extra });

it("accounts of codex are sent what they may, others everything", () => {
  const oauth = { provider: "codex" };
  const bare = JSON.parse(responsesBody(request, "gpt-4o", toSpec("codex", { auth: "oauth", oauth }, "config")));
  expect(Object.keys(bare).sort()).toEqual(["input", "instructions", "model", "store", "stream"]);
  expect(bare).toMatchObject({ instructions: "", store: false, stream: true });
  const keyed = JSON.parse(responsesBody(request, "gpt-4o", toSpec("codex", { api_key: "k" }, "config")));
  expect(keyed).toMatchObject({ ...extra, max_output_tokens: 9, temperature: 0.5 });
});

it("what a client wrote is not passed unread to where accounts are served", () => {
  const oauth = { provider: "codex" };
  expect(passesStraight(toSpec("codex", { auth: "hybrid", api_key: "k", oauth }, "config"), "/responses")).toBe(false);
  expect(passesStraight(toSpec("codex", { api_key: "k" }, "config"), "/responses")).toBe(true);
});
