/** An OAuth account whose token is renewed again and again, used, reloaded with its plugin: nothing of a renewal stays. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startHost } from "../../../dist/sdk/testing.js";
import { builtins, settledHeap } from "../lib.mjs";

export const name = "renewals of an OAuth account, with requests and reloads";

const rounds = Number(process.env.CHELA_LEAK_CYCLES ?? 120);
const warmUp = Math.ceil(rounds / 2);
const mostBytesPerRound = 24_576;
const json = { "content-type": "application/json" };

export async function run() {
  const vendor = await startVendor();
  const stateDir = mkdtempSync(join(tmpdir(), "chela-leak-"));
  const file = join(stateDir, "auth", "acme.json");
  mkdirSync(join(stateDir, "auth"), { mode: 0o700 });
  const account = { provider: "acme", access_token: "t0", refresh_token: "r0", email: "a@x.org" };
  writeFileSync(file, JSON.stringify(account), { mode: 0o600 });
  const host = await startHost({
    plugins: await builtins(),
    stateDir,
    env: { CHELA_DISCOVERY: "off" },
    config: config(vendor.url),
  });
  try {
    let before = 0;
    for (let n = 1; n <= rounds; n += 1) {
      const params = { provider: "main", credential_file: "acme.json" };
      await ok(host, "/api/call", { method: "provider.oauth.refresh", params });
      const { access_token } = JSON.parse(readFileSync(file, "utf8"));
      if (access_token !== `t${n}`) throw new Error(`round ${n}: the account holds ${access_token}`);
      await ok(host, "/v1/chat/completions", { model: "main/m", messages: [{ role: "user", content: "hi" }] });
      if (vendor.seen.at(-1) !== `Bearer t${n}`)
        throw new Error(`round ${n}: the upstream was sent ${vendor.seen.at(-1)}`);
      vendor.seen.length = 0;
      if (n % 4 === 0) await host.plugins.reload("providers");
      host.logs().splice(0);
      if (n === warmUp) before = await settledHeap();
    }
    const perRound = Math.round(((await settledHeap()) - before) / (rounds - warmUp));
    if (perRound > mostBytesPerRound) throw new Error(`the heap grows by ${perRound} bytes per renewal`);
    return `${rounds} renewals, ${perRound} bytes each`;
  } finally {
    await host.stop();
    rmSync(stateDir, { recursive: true, force: true });
    vendor.close();
  }
}

function config(url) {
  const oauth = { provider: "acme", client_id: "leak", auth_url: `${url}/auth`, token_url: `${url}/token` };
  const main = { api_base: `${url}/v1`, auth: "oauth", models: ["m"], oauth };
  return { models: { discovery: { enabled: false }, providers: { main } } };
}

/** Gives out t1, t2 … for r0, r1 …, each once, and answers like a model. */
async function startVendor() {
  const seen = [];
  let given = 0;
  const server = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    res.setHeader("content-type", "application/json");
    if (req.url === "/token") return res.end(JSON.stringify(tokens(body)));
    seen.push(req.headers.authorization);
    const message = { role: "assistant", content: "hello" };
    res.end(
      JSON.stringify({ id: "x", object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] }),
    );
  });
  const tokens = (body) => {
    if (new URLSearchParams(body).get("refresh_token") !== `r${given}`) return { error: "invalid_grant" };
    given += 1;
    return { access_token: `t${given}`, refresh_token: `r${given}`, token_type: "Bearer", expires_in: 3600 };
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, seen, close };
}

async function ok(host, path, body) {
  const reply = await host.request(path, { body, headers: json });
  if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
}
