#!/usr/bin/env node
/**
 * Takes the screenshots of docs/images/ from a gateway of its own, with a simulated model and made-up conversations.
 * Wants Chromium (see CONTRIBUTING.md): `npm run images`.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "docs/images");
const secondsOfWork = 240;
const words = {
  en: {
    locale: "en-US",
    title: "Release notes of version 2",
    other: ["Plan of the offsite", "Invoices of October", "Why is the build slow?"],
    ask: "Read notes.md and draft the release notes: three points, then the command to upgrade.",
    notes: "# Version 2\n\n- start in 0.2 s\n- any plugin can be switched while it runs\n- keys with budgets\n",
    reply:
      "Here is a draft from **notes.md**:\n\n1. **Starts in 0.2 s.** The gateway answers before its peers have parsed their config.\n2. **Nothing stops.** Any plugin can be switched, changed or upgraded while it runs.\n3. **Keys with budgets.** Give each program its own, and see what it costs.\n\n```bash\nnpm install -g chela && chela gateway run\n```\n\nShall I add the changes for plugin authors?",
  },
  "zh-CN": {
    locale: "zh-CN",
    title: "第二版发布说明",
    other: ["团建计划", "十月账单", "构建为什么变慢？"],
    ask: "读取 notes.md，起草发布说明：三个要点，最后给出升级命令。",
    notes: "# 第二版\n\n- 0.2 秒启动\n- 运行中即可切换任何插件\n- 带预算的密钥\n",
    reply:
      "根据 **notes.md** 起草如下：\n\n1. **0.2 秒启动。** 别人还在解析配置，网关已经开始应答。\n2. **无需停机。** 任何插件都可以在运行中开关、修改或升级。\n3. **带预算的密钥。** 每个程序一个密钥，花费一目了然。\n\n```bash\nnpm install -g chela && chela gateway run\n```\n\n需要补充面向插件作者的变更吗？",
  },
};
const shots = [
  { name: "chat", at: "#/chat/web:release" },
  { name: "dashboard", at: "#/dashboard" },
  { name: "providers", at: "#/providers" },
  { name: "mcp", at: "#/mcp" },
  { name: "files", at: "#/files?path=AGENTS.md" },
  { name: "plugins", at: "#/plugins" },
  { name: "config", at: "#/config" },
  { name: "keys", at: "#/keys" },
  { name: "logs", at: "#/logs" },
  { name: "chat-phone", at: "#/chat/web:release", phone: true },
  { name: "chat-dark", at: "#/chat/web:release", dark: true },
];

/** A model that calls one tool, then says what it was told to. */
async function startModel(text) {
  const server = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    const { messages = [] } = body === "" ? {} : JSON.parse(body);
    const last = messages.at(-1)?.role;
    const call = {
      index: 0,
      id: "call_1",
      type: "function",
      function: { name: "read_file", arguments: '{"path":"notes.md"}' },
    };
    const wantsTool = last === "user" && /notes\.md/.test(JSON.stringify(messages.at(-1)));
    const pieces = wantsTool ? [{ tool_calls: [call] }] : text.split(/(?<=\s)/).map((content) => ({ content }));
    const chunk = (choice, usage) =>
      `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", model: "gpt-5.4", choices: [choice], usage })}\n\n`;
    res.writeHead(200, { "content-type": "text/event-stream" });
    for (const delta of pieces) res.write(chunk({ index: 0, delta }));
    res.write(
      chunk(
        { index: 0, delta: {}, finish_reason: wantsTool ? "tool_calls" : "stop" },
        { prompt_tokens: 1840, completion_tokens: 210, total_tokens: 2050 },
      ),
    );
    res.end("data: [DONE]\n\n");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

async function startGateway(stateDir, modelPort) {
  const provider = {
    api_base: `http://127.0.0.1:${modelPort}/v1`,
    api_key: "sk-made-up",
    models: ["gpt-5.4", "gpt-5.4-mini"],
  };
  const everything = join(root, "node_modules/@modelcontextprotocol/server-everything/dist/index.js");
  const config = {
    models: { providers: { openai: provider, deepseek: { ...provider, models: ["deepseek-chat"] } } },
    agents: { defaults: { model: { primary: "openai/gpt-5.4" } } },
    usage: { prices: { "openai/gpt-5.4": { input: 2.5, output: 15 } } },
    tools: {
      mcp: {
        enabled: true,
        servers: {
          everything: {
            command: process.execPath,
            args: [everything, "stdio"],
            permission: "full",
            description: "The test server of the MCP authors",
          },
        },
      },
    },
  };
  writeFileSync(join(stateDir, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  const env = { PATH: process.env.PATH, HOME: stateDir, CHELA_STATE_DIR: stateDir, CHELA_DISCOVERY: "off" };
  const child = spawn(process.execPath, [join(root, "dist/chela.js"), "gateway", "run", "--port", "0"], {
    env,
    stdio: "ignore",
  });
  for (let tries = 0; tries < 200; tries++) {
    await new Promise((resume) => setTimeout(resume, 50));
    const url = await fetch(`${urlOf(stateDir)}/ready`).then(
      ({ ok, url }) => ok && new URL(url).origin,
      () => "",
    );
    if (url) return { child, url, token: readFileSync(join(stateDir, "token"), "utf8").trim() };
  }
  throw new Error("the gateway did not start");
}

function urlOf(stateDir) {
  try {
    return JSON.parse(readFileSync(join(stateDir, "gateway.json"), "utf8")).url;
  } catch {
    return "http://127.0.0.1:9";
  }
}

async function fill({ url, token }, text) {
  const post = async (path, body) => {
    const response = await fetch(url + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  };
  const call = (method, params) => post("/api/call", { method, params });
  await post("/api/workspace_file", { path: "notes.md", content: text.notes });
  for (const [index, title] of text.other.entries()) {
    await post("/api/chat", { session: `web:${index}`, message: title });
    await call("sessions.title", { key: `web:${index}`, title });
  }
  await post("/api/chat", { session: "web:release", message: text.ask });
  await call("sessions.title", { key: "web:release", title: text.title });
  await call("keys.add", { name: "Ada", scopes: ["write"], limits: { usd: 20, period: "month" } });
  await call("keys.add", { name: "CI", scopes: ["read"], expires: "90d" });
  await call("mcp.test", { name: "everything" });
  await call("gateway.health", {});
}

/** Some minutes of a day's traffic, so that the charts have something to show. */
async function work({ url, token }) {
  for (let second = 0; second < secondsOfWork; second++) {
    const asked = Math.round(6 + 5 * Math.sin(second / 17) + 4 * Math.sin(second / 5));
    const headers = { authorization: `Bearer ${token}` };
    await Promise.all(Array.from({ length: asked }, () => fetch(`${url}/api/sessions`, { headers })));
    await new Promise((resume) => setTimeout(resume, 1000));
  }
}

async function photograph(browser, gateway, { shot, language }) {
  const context = await browser.newContext({
    locale: words[language].locale,
    colorScheme: shot.dark ? "dark" : "light",
    reducedMotion: "reduce",
    viewport: shot.phone ? { width: 390, height: 760 } : { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  await page.goto(`${gateway.url}/?token=${gateway.token}${shot.at}`);
  await page.getByRole("heading").first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(shot.name === "dashboard" ? 12_000 : 1500);
  const suffix = language === "en" ? "" : `.${language}`;
  await page.screenshot({ path: join(folder, `${shot.name}${suffix}.jpg`), type: "jpeg", quality: 72 });
  await context.close();
}

async function photographAll(browser, language) {
  const stateDir = mkdtempSync(join(tmpdir(), "chela-images-"));
  const model = await startModel(words[language].reply);
  const gateway = await startGateway(stateDir, model.address().port);
  try {
    await fill(gateway, words[language]);
    await work(gateway);
    for (const shot of shots) await photograph(browser, gateway, { shot, language });
  } finally {
    gateway.child.kill("SIGKILL");
    model.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

mkdirSync(folder, { recursive: true });
const places = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];
const executablePath = process.env.CHELA_CHROMIUM || places.find((path) => existsSync(path));
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
const languages = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(words);
await Promise.all(languages.map((language) => photographAll(browser, language)));
await browser.close();
