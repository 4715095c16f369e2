/** An HTTP/1.1 client that costs little, so that two cores measure the server: keep-alive, one request at a time each. */
import { connect } from "node:net";
import { quantile } from "./numbers.mjs";

/**
 * Keeps `connections` busy for `seconds` after a warm-up. `request(n)` gives the raw bytes of the n-th request.
 * Returns requests per second, latencies in ms, and how many answers were not 200.
 */
export async function load({ port, request, connections, seconds = 3, warmup = 0.7 }) {
  const tally = { sent: 0, bad: 0, latencies: [], measuring: false };
  const clients = Array.from({ length: connections }, () => new Client(port, request, tally));
  await Promise.all(clients.map((client) => client.start()));
  await sleep(warmup * 1000);
  const from = performance.now();
  tally.measuring = true;
  await sleep(seconds * 1000);
  tally.measuring = false;
  const elapsed = (performance.now() - from) / 1000;
  for (const client of clients) client.stop();
  const sorted = tally.latencies.sort((a, b) => a - b);
  return { rps: sorted.length / elapsed, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), bad: tally.bad };
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Raw bytes of a request. */
export function get(path, headers = {}) {
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines(headers)}\r\n`);
}

export function post(path, body, headers = {}) {
  const text = JSON.stringify(body);
  const all = { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers };
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines(all)}\r\n${text}`);
}

function lines(headers) {
  return Object.entries({ host: "127.0.0.1", ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}

class Client {
  #socket;
  #port;
  #request;
  #tally;
  #sentAt = 0;
  #data = Buffer.alloc(0);
  #stopped = false;

  constructor(port, request, tally) {
    this.#port = port;
    this.#request = request;
    this.#tally = tally;
  }

  start() {
    return new Promise((resolve, reject) => {
      this.#socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true }, () => {
        resolve();
        this.#next();
      });
      this.#socket.on("error", reject);
      this.#socket.on("data", (chunk) => this.#take(chunk));
      this.#socket.on("close", () => {
        if (!this.#stopped) this.#tally.bad += 1;
      });
    });
  }

  stop() {
    this.#stopped = true;
    this.#socket.destroy();
  }

  #next() {
    this.#sentAt = performance.now();
    this.#socket.write(this.#request(this.#tally.sent++));
  }

  #take(chunk) {
    this.#data = this.#data.length === 0 ? chunk : Buffer.concat([this.#data, chunk]);
    const end = endOfReply(this.#data);
    if (end < 0) return;
    if (this.#tally.measuring) {
      this.#tally.latencies.push(performance.now() - this.#sentAt);
      if (this.#data[9] !== 50) this.#tally.bad += 1;
    }
    this.#data = this.#data.subarray(end);
    if (!this.#stopped) this.#next();
  }
}

const headEnd = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

/** Where the reply ends, or -1. A chunked one ends with its last chunk, as nothing is pipelined. */
function endOfReply(data) {
  const head = data.indexOf(headEnd);
  if (head < 0) return -1;
  const length = /\r\ncontent-length: (\d+)/i.exec(data.toString("latin1", 0, head));
  if (length) {
    const end = head + 4 + Number(length[1]);
    return data.length >= end ? end : -1;
  }
  return data.subarray(-5).equals(lastChunk) ? data.length : -1;
}
