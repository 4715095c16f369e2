/**
 * An OpenAI-compatible upstream for tests: a real HTTP server on a free port that does what the model's name says, or what
 * the test told it, and records every request and whether the client left before the reply was complete.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { until } from "../../kit/until.ts";
import { answerChat, type ChatRequest } from "./answer.ts";
import { type Behaviour, models } from "./behaviour.ts";

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed JSON, or undefined. */
  readonly body: ChatRequest & Record<string, unknown>;
  /** The peer's port: equal ports are one kept connection. */
  readonly peer: number;
  /** The client closed before the reply was complete. */
  aborted: boolean;
  done: boolean;
}

export interface Upstream extends AsyncDisposable {
  /** Ends with `/v1`: what goes into `api_base`. */
  readonly base: string;
  readonly port: number;
  readonly requests: Recorded[];
  /** The newest request; waits for one when there is none. */
  last(): Promise<Recorded>;
  /** Sets what a model does from now on. */
  script(model: string, behaviour: Behaviour): void;
  /** Sets what happens to every request with this bearer token, whatever its model. */
  key(token: string, behaviour: Behaviour): void;
  close(): Promise<void>;
}

export interface UpstreamOptions {
  readonly port?: number;
  /** Requests must carry this bearer token. */
  readonly key?: string;
  /** Ids of `/v1/models`; default all scripted ones. */
  readonly list?: readonly string[];
}

export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const scripts = new Map<string, Behaviour>(Object.entries(models));
  const requests: Recorded[] = [];
  const server = createServer((request, response) => {
    serve({ request, response, requests, scripts, options }).catch((error: unknown) =>
      response.destroy(error as Error),
    );
  });
  server.keepAliveTimeout = 30_000;
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => stop(server);
  return {
    base: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    last: () => until(() => requests.at(-1), 5000, "a request at the upstream"),
    script: (model, behaviour) => void scripts.set(model, behaviour),
    key: (token, behaviour) => void scripts.set(`Bearer ${token}`, behaviour),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requests: Recorded[];
  readonly scripts: Map<string, Behaviour>;
  readonly options: UpstreamOptions;
}

async function serve({ request, response, requests, scripts, options }: Served): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0] as string;
  const body = (await readJson(request)) as Recorded["body"];
  if (path === "/control") {
    scripts.set(String(body.model), body.behaviour as Behaviour);
    return json(response, 200, { ok: true });
  }
  const record: Recorded = {
    method: request.method ?? "",
    path,
    headers: request.headers,
    body,
    peer: request.socket.remotePort ?? 0,
    aborted: false,
    done: false,
  };
  requests.push(record);
  response.on("close", () => {
    record.done = response.writableFinished;
    record.aborted = !response.writableFinished;
  });
  if (options.key && request.headers.authorization !== `Bearer ${options.key}`) {
    return json(response, 401, {
      error: {
        message: `Incorrect API key provided: ${request.headers.authorization}`,
        type: "invalid_request_error",
        param: null,
        code: "invalid_api_key",
      },
    });
  }
  if (path === "/v1/models") return json(response, 200, list(options.list ?? [...scripts.keys()]));
  if (path === "/v1/embeddings") return json(response, 200, embedding(body));
  const { authorization = "" } = request.headers;
  const ofKey = scripts.has(authorization);
  if (path !== "/v1/chat/completions" && !(ofKey && path === "/v1/responses"))
    return json(response, 404, {
      error: { message: `no ${path} here`, type: "invalid_request_error", param: null, code: null },
    });
  const name = ofKey ? authorization : String(body.model);
  await answerChat({ request: body, how: take(scripts, name), response });
}

/** The behaviour for this request; one with `times` is used up. */
function take(scripts: Map<string, Behaviour>, model: string): Behaviour {
  const how = scripts.get(model) ?? (scripts.get("echo") as Behaviour);
  if (how.times !== undefined) {
    scripts.set(model, how.times > 1 ? { ...how, times: how.times - 1 } : (how.afterwards ?? {}));
  }
  return how;
}

function list(ids: readonly string[]): unknown {
  return { object: "list", data: ids.map((id) => ({ id, object: "model", created: 0, owned_by: "sim" })) };
}

function embedding(body: Record<string, unknown>): unknown {
  return {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: [0.25, -0.5] }],
    model: body.model,
    usage: { prompt_tokens: 2, total_tokens: 2 },
  };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    return {};
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
