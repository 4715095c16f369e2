/** Starts what is measured, each in a process of its own, and reads what the system says about it. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const binary = fileURLToPath(new URL("../../../dist/chela.js", import.meta.url));
export const token = "bench-token-0123456789abcdef0123456789";

/** Extra arguments for the gateway's Node: `BENCH_NODE_ARGS="--cpu-prof --cpu-prof-dir=/tmp/p"`. */
const nodeArgs = (process.env.BENCH_NODE_ARGS ?? "").split(" ").filter((word) => word !== "");

/** One of `servers/`; resolves when it listens. */
export async function startServer(name, ...args) {
  const child = spawn(process.execPath, [join(folder, "servers", name), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const port = await new Promise((resolve, reject) => {
    child.stdout.once("data", (line) => resolve(Number(/listening (\d+)/.exec(line)[1])));
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return { port, pid: child.pid, stop: () => stop(child) };
}

/** A gateway on a fresh state dir. `stateDir` may be handed in, then it is kept. */
export async function startGateway({ config = {}, stateDir, port } = {}) {
  const state = stateDir ?? mkdtempSync(join(tmpdir(), "chela-bench-"));
  const listen = port ?? (await freePort());
  const gateway = { auth: { mode: "token", token }, ...config.gateway };
  if (config !== null) writeFileSync(join(state, "config.json"), JSON.stringify({ ...config, gateway }, null, 2));
  const from = performance.now();
  const child = spawn(process.execPath, [...nodeArgs, binary, "gateway", "run", "--port", String(listen)], {
    env: { PATH: process.env.PATH, HOME: state, TMPDIR: tmpdir(), CHELA_STATE_DIR: state, CHELA_DISCOVERY: "off" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(chunk.toString()));
  const said = () => output.join("");
  const startMs = await untilReady(listen, from, child, said);
  const end = async () => {
    await stop(child);
    if (stateDir === undefined) rmSync(state, { recursive: true, force: true });
  };
  return {
    port: listen,
    pid: child.pid,
    stateDir: state,
    startMs,
    call: (...args) => rpc(listen, ...args),
    said,
    stop: end,
  };
}

/** Milliseconds from spawn to the first 200 on `/ready`, for any server of `servers/`. */
export async function startTime(name) {
  const port = await freePort();
  const from = performance.now();
  const child = spawn(process.execPath, [join(folder, "servers", name), String(port)], { stdio: "ignore" });
  const ms = await untilReady(port, from, child, () => "");
  await stop(child);
  return ms;
}

/** Resident memory in MB. */
export function residentMb(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}

async function rpc(port, method, params = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/api/call`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ method, params }),
  });
  const answer = await response.json();
  if (answer.ok !== true) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
}

/** Asks every 2 ms; the process that asks does nothing else. */
async function untilReady(port, from, child, said) {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before it was ready\n${said()}`);
    if (performance.now() - from > 30_000) throw new Error(`not ready after 30 s\n${said()}`);
    if (await isReady(port)) return performance.now() - from;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function isReady(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () =>
      socket.write("GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
    );
    socket.once("data", (head) => {
      resolve(head.toString("latin1", 9, 12) === "200");
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

export async function freePort() {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 12_000);
  await ended;
  clearTimeout(late);
}
