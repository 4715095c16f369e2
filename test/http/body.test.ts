/** Bodies from strangers over real sockets: size, silence, lies about length, bad text (S-69, S-90). */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { GatewayError } from "@chela/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { type BodyRules, drain, parseJson, readJson } from "../../kernel/http/body.ts";
import { until } from "../kit/until.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

interface Outcome {
  value?: unknown;
  code?: string;
}

/** A server that reads JSON bodies by these rules, and what it made of each. */
async function reader(rules: Partial<BodyRules> = {}): Promise<{ port: number; outcomes: Outcome[]; server: Server }> {
  const outcomes: Outcome[] = [];
  const server = createServer((req, res) => {
    void readJson(req, { limit: 1000, stallMs: 5000, ...rules }).then(
      (value) => {
        outcomes.push({ value });
        res.end(JSON.stringify({ value }) ?? "");
      },
      (error: GatewayError) => {
        outcomes.push({ code: error.code });
        drain(req, res);
        res.statusCode = error.status;
        res.end(error.message);
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, outcomes, server };
}

/** A raw connection and everything that came back on it. */
function dial(port: number): { socket: Socket; received: () => string; closed: () => boolean } {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  let closed = false;
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    closed = true;
  });
  open.push(() => socket.destroy());
  return { socket, received: () => text, closed: () => closed };
}

const head = (headers: string) => `POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n`;

async function post(port: number, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: body as string, headers });
  return { status: response.status, text: await response.text(), connection: response.headers.get("connection") };
}

describe("readJson", () => {
  it.each([
    ['{"a":1}', { a: 1 }],
    [" [1,2] ", [1, 2]],
    ["null", null],
    ['"text"', "text"],
    ["\ufeff{}", {}],
    ['{"a":"你好 \\u00e9"}', { a: "你好 é" }],
  ])("reads %s", async (text, value) => {
    const { port, outcomes } = await reader();
    expect((await post(port, text)).status).toBe(200);
    expect(outcomes).toEqual([{ value }]);
  });

  it("reads an empty body as undefined, announced or not", async () => {
    const { port, outcomes } = await reader();
    await post(port, "");
    await fetch(`http://127.0.0.1:${port}/`);
    expect(outcomes).toEqual([{ value: undefined }, { value: undefined }]);
  });

  it("puts chunks together, also in the middle of a character", async () => {
    const { port, received } = await chunked('{"a":"你好"}');
    await until(() => received().includes("200 OK") && received().includes("\r\n\r\n{"));
    expect(port).toBeGreaterThan(0);
    expect(Buffer.from(received(), "latin1").toString()).toContain('{"value":{"a":"你好"}}');
  });

  async function chunked(text: string) {
    const { port } = await reader();
    const line = dial(port);
    line.socket.write(head("transfer-encoding: chunked"));
    for (const byte of Buffer.from(text)) {
      line.socket.write("1\r\n");
      line.socket.write(Buffer.of(byte));
      line.socket.write("\r\n");
    }
    line.socket.write("0\r\n\r\n");
    return { port, received: line.received };
  }

  it.each([
    ["{", "invalid json"],
    ["{}x", "invalid json"],
    ["  ", "invalid json"],
    ["{'a':1}", "invalid json"],
    ["a=b", "invalid json"],
    [Uint8Array.of(0x22, 0xff, 0x22), "invalid json"],
    [Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), "invalid json"],
    ["[".repeat(65) + "]".repeat(65), "json is nested deeper than 64 levels"],
  ])("answers %j with 400", async (body, text) => {
    const { port } = await reader();
    expect(await post(port, body)).toMatchObject({ status: 400, text });
  });

  it("keeps the connection after a bad body that was read", async () => {
    const { port } = await reader();
    expect((await post(port, "{")).connection).toBe("keep-alive");
  });

  it.each(["gzip", "deflate", "br", "identity, gzip", "x"])("refuses content-encoding %s", async (encoding) => {
    const { port } = await reader();
    const answer = await post(port, gzipSync("{}"), { "content-encoding": encoding });
    expect(answer.status).toBe(415);
  });

  it("takes content-encoding identity", async () => {
    const { port } = await reader();
    expect((await post(port, "{}", { "content-encoding": "identity" })).status).toBe(200);
  });
});

describe("size", () => {
  it("is judged by the declared length before a byte is read", async () => {
    const { port, outcomes } = await reader();
    const line = dial(port);
    line.socket.write(head("content-length: 1001"));
    await until(() => line.received().includes("413"));
    expect(line.received()).toMatch(/connection: close/i);
    expect(outcomes).toEqual([{ code: "BODY_TOO_LARGE" }]);
    await until(line.closed);
  });

  it("is judged at the byte when nothing is declared", async () => {
    const { port, outcomes } = await reader();
    const line = dial(port);
    line.socket.write(head("transfer-encoding: chunked"));
    for (let i = 0; i < 10; i++) line.socket.write(`64\r\n${"x".repeat(100)}\r\n`);
    line.socket.write("1\r\nx\r\n");
    await until(() => line.received().includes("413"));
    expect(outcomes).toEqual([{ code: "BODY_TOO_LARGE" }]);
    await until(line.closed);
  });

  it("takes a body of exactly the limit", async () => {
    const { port } = await reader();
    expect((await post(port, `"${"x".repeat(998)}"`)).status).toBe(200);
    expect((await post(port, `"${"x".repeat(999)}"`)).status).toBe(413);
  });

  it("lets a client that is still sending see the 413, and then hangs up on it", async () => {
    const { port } = await reader();
    const line = dial(port);
    line.socket.write(head("content-length: 100000000"));
    const chunk = Buffer.alloc(65_536, 0x20);
    const push = () => {
      while (!line.closed() && line.socket.writable && line.socket.write(chunk));
    };
    line.socket.on("drain", push);
    push();
    await until(() => line.received().includes("the body is larger than 1000 bytes"));
    await until(line.closed, 5000);
  });

  it("serves others while 50 clients announce more than they may send", async () => {
    const { port } = await reader();
    const lines = Array.from({ length: 50 }, () => dial(port));
    for (const { socket } of lines) socket.write(head("content-length: 999999999"));
    expect((await post(port, "{}")).status).toBe(200);
    for (const line of lines) await until(line.closed);
  });
});

describe("time", () => {
  it("answers 408 when the body stops", async () => {
    const { port, outcomes } = await reader({ stallMs: 60 });
    const line = dial(port);
    line.socket.write(`${head("content-length: 10")}{"a"`);
    await until(() => line.received().includes("408"));
    expect(outcomes).toEqual([{ code: "BODY_TIMEOUT" }]);
    await until(line.closed);
  });

  it("gives a stranger a total, however busily he trickles", async () => {
    const { port, outcomes } = await reader({ stallMs: 5000, totalMs: 150 });
    const line = dial(port);
    line.socket.write(head("content-length: 900"));
    await until(() => {
      line.socket.write(" ");
      return line.received().includes("408");
    });
    expect(outcomes).toEqual([{ code: "BODY_TIMEOUT" }]);
  });

  it("does not time out a body that keeps coming", async () => {
    const { port, outcomes } = await reader({ stallMs: 400 });
    const line = dial(port);
    line.socket.write(head("content-length: 41"));
    line.socket.write('"');
    let sent = 0;
    await until(() => {
      if (sent < 39) line.socket.write("x");
      else if (sent === 39) line.socket.write('"');
      sent += 1;
      return line.received().includes("200 OK");
    });
    expect(outcomes).toEqual([{ value: "x".repeat(39) }]);
  });

  it("ends when the client leaves, and when the owner is stopped", async () => {
    const stop = new AbortController();
    const { port, outcomes } = await reader({ cancellation: stop.signal });
    const leaver = dial(port);
    leaver.socket.write(`${head("content-length: 10")}{"a"`, () => leaver.socket.destroy());
    await until(() => outcomes.length === 1);
    expect(outcomes[0]).toEqual({ code: "CLIENT_GONE" });
    const waiter = dial(port);
    const connected = until(() => waiter.received().includes("503"));
    waiter.socket.write(`${head("content-length: 10")}{"a"`, () => {
      stop.abort(new GatewayError("PLUGIN_STOPPED", 503, "stopped"));
    });
    await connected;
    expect(outcomes[1]).toEqual({ code: "PLUGIN_STOPPED" });
  });

  it("leaves nothing behind on the request", async () => {
    const seen: IncomingMessage[] = [];
    const { port, server } = await reader();
    server.prependListener("request", (req) => seen.push(req));
    await post(port, "{}");
    await post(port, `"${"x".repeat(5000)}"`);
    await until(() => seen.every((req) => req.listenerCount("data") === 0 && req.listenerCount("error") === 0));
  });
});

describe("parseJson", () => {
  const parse = (text: string) => parseJson(Buffer.from(text));

  it("drops every __proto__ key, however it is spelled", () => {
    const spellings = [
      '"__proto__"',
      '"\\u005f_proto__"',
      '"__\\u0070roto__"',
      '"\\u005F\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f__"',
    ];
    for (const key of spellings) {
      const value = parse(`{"a":[{${key}:{"admin":true},"b":1}],${key}:{"admin":true}}`) as Record<string, unknown>;
      expect(JSON.stringify(value)).toBe('{"a":[{"b":1}]}');
      expect(Object.assign({}, value).admin).toBeUndefined();
      expect((Object.assign({}, (value.a as object[])[0]) as Record<string, unknown>).admin).toBeUndefined();
    }
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
    expect(parse('{"text":"__proto__ is a name"}')).toEqual({ text: "__proto__ is a name" });
  });

  it("counts depth outside of strings only", () => {
    const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(parse(deep(64))).toBeDefined();
    expect(() => parse(deep(65))).toThrow(/nested deeper/);
    expect(() => parse('{"a":'.repeat(65))).toThrow(/nested deeper/);
    expect(() => parse("[".repeat(5_000_000))).toThrow(/nested deeper/);
    expect(() => parse(`${" ".repeat(100)}${deep(65)}`)).toThrow(/nested deeper/);
    for (const text of [
      "[".repeat(1000),
      `\\"${"[".repeat(1000)}`,
      `${"x".repeat(100)}\\\\\\"${"{".repeat(100)}`,
      `${"y".repeat(47)}\\"${"[".repeat(99)}`,
    ]) {
      expect(parse(`["${text}",1]`)).toHaveLength(2);
    }
    for (let pad = 40; pad < 56; pad++) {
      for (const end of ["\\\\", '\\"', "\\\\\\\\", '\\\\\\"', "\\u005c"]) {
        expect(() => parse(`["${"z".repeat(pad)}${end}",${deep(64)}]`), `${pad} ${end}`).toThrow(/nested deeper/);
        expect(parse(`["${"z".repeat(pad)}${end}",${deep(63)}]`), `${pad} ${end}`).toHaveLength(2);
      }
    }
    expect(parse(`[${Array.from({ length: 5000 }, () => "[[]]").join(",")}]`)).toHaveLength(5000);
  });

  it("takes views into larger buffers", () => {
    const whole = Buffer.from('xx{"a":1}yy');
    expect(parseJson(whole.subarray(2, 9))).toEqual({ a: 1 });
    expect(parseJson(new Uint8Array(whole.buffer, whole.byteOffset + 2, 7))).toEqual({ a: 1 });
  });
});
