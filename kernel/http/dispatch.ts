/**
 * The path of one HTTP request: canonical path → route → identity → authorisation → hooks → body → handler → reply.
 * It reads the generation once, at its start, and finishes on it; the owner's work counts as in flight all the while.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Cancellation, GatewayError, type RequestFacts, type RouteRequest } from "@chela/sdk";
import type { Generation } from "../host/compose.ts";
import type { Instance } from "../instance/instance.ts";
import type { RouteMatch } from "../routes.ts";
import { drain, hasBody, invite } from "./body.ts";
import { Canceller } from "./canceller.ts";
import { asGatewayError, renderError } from "./errors.ts";
import type { DispatchHost, Exchange } from "./exchange.ts";
import { type Arrival, OpenReplies } from "./open-replies.ts";
import { type ReadRules, readRequest } from "./read-request.ts";
import { ReplyBatch } from "./reply-batch.ts";
import { RequestView } from "./request-view.ts";
import { type Outgoing, outgoing, send } from "./respond.ts";
import { runHandler } from "./run-handler.ts";
import { unmatched } from "./unmatched.ts";
import { UploadPlaces } from "./upload-places.ts";
import { canonicalPath } from "./urls.ts";

const repairOwners: ReadonlySet<string> = new Set(["kernel", "api-config", "logs", "webui"]);

export class Dispatcher {
  readonly #host: DispatchHost;
  readonly #batch: ReplyBatch;
  readonly #uploads = new UploadPlaces();
  readonly #open = new OpenReplies();

  constructor(host: DispatchHost) {
    this.#host = host;
    this.#batch = new ReplyBatch(() => host.settings().limits.bodyStallMs);
  }

  readonly handle = (req: IncomingMessage, res: ServerResponse): void => {
    const exchange: Exchange = {
      id: this.#host.requestId(),
      req,
      res,
      generation: this.#host.current(),
      from: performance.now(),
      path: "",
      base: "",
      search: "",
      label: "none",
      identity: undefined,
      view: undefined,
      owner: undefined,
    };
    const closed = () => {
      if (!res.writableFinished) exchange.view?.leave();
    };
    res.on("close", closed);
    // Behind another request of its connection a reply has no socket yet, and is not told when that closes.
    if (!res.socket) req.once("close", () => void (req.socket.destroyed && closed()));
    void this.#serve(exchange);
  };

  /** Ends the streams of whoever may not have them any more; their number. */
  recheck(): Promise<number> {
    return this.#open.recheck(this.#host.gate, this.#host.current());
  }

  /** Of a request that is being answered: its credentials, and the base path it came below. */
  arrival(request: RouteRequest): Arrival {
    return this.#open.arrival(request);
  }

  endThose(which: (request: RouteRequest) => boolean): number {
    return this.#open.endThose(which);
  }

  outlive(ended: () => void, request: RouteRequest): () => void {
    return this.#open.outlive(ended, request, this.#host.gate, () => this.#host.current());
  }

  async #serve(exchange: Exchange): Promise<void> {
    let problem: GatewayError | undefined;
    try {
      await this.#answer(exchange);
    } catch (error) {
      problem = asGatewayError(error, exchange.id);
      await this.#refuse(exchange, problem).catch(() => void exchange.res.destroy());
    }
    exchange.view?.done();
    exchange.owner?.scope.leave();
    const { req, res, label } = exchange;
    const ms = performance.now() - exchange.from;
    this.#host.stats.request(req.method ?? "", label, res.statusCode, ms);
    this.#host.requestLog({
      id: exchange.id,
      method: req.method ?? "",
      path: exchange.path,
      status: res.statusCode,
      ms,
      error: problem,
    });
  }

  #answer(exchange: Exchange): Promise<void> | undefined {
    const { req, res, generation } = exchange;
    const { path, base, search } = canonicalPath(req.url, this.#host.settings().basePath);
    exchange.path = path;
    exchange.base = base;
    exchange.search = search;
    if (path === "") return this.#redirect(exchange, `${base}/${search}`);
    if (req.method === "OPTIONS") {
      const out = { status: 204, headers: this.#headers(exchange, {}), body: null };
      return send(res, out, neverAborts, this.#batch);
    }
    if (path === "/health" || path === "/ready") return this.#probe(exchange);
    const match = generation.router.find(req.method ?? "GET", path);
    if (!match) {
      this.#batch.mind(res);
      return unmatched(exchange, this.#host.gate, this.#headers(exchange, {}));
    }
    exchange.label = match.live.route.path;
    exchange.owner = match.live.owner;
    exchange.owner.scope.enter();
    return this.#route(exchange, match);
  }

  /** Kept nowhere: the address may hold a token, and the base path may be another one tomorrow. */
  #redirect(exchange: Exchange, location: string): Promise<void> | undefined {
    const headers = this.#headers(exchange, { location, "cache-control": "no-store" });
    const out = { status: 308, headers, body: null };
    return send(exchange.res, out, neverAborts, this.#batch);
  }

  async #route(exchange: Exchange, { live, params }: RouteMatch): Promise<void> {
    const { req, res, generation } = exchange;
    const { owner, want } = live;
    const { gate } = this.#host;
    const { rechecks } = this.#open;
    const noted = rechecks.count;
    const credentials = gate.credentials(req, exchange.search, "route");
    const identified = gate.identify(req, credentials, generation, want);
    const identity = identified instanceof Promise ? await identified : identified;
    exchange.identity = identity;
    const authorized = gate.authorize(identity, want, generation);
    if (authorized) await authorized;
    this.#requireUp(generation, owner);
    const { id, path, base } = exchange;
    const parts = { id, method: req.method ?? "GET", path, base, headers: req.headers, address: credentials.address };
    const view = new RequestView(parts, identity, owner.scope);
    exchange.view = view;
    view.params = params;
    const early = generation.hooks.has("http:request")
      ? await generation.hooks.run("http:request", this.#facts(exchange, credentials.address))
      : undefined;
    const nothingToRead = early !== undefined || (live.bare && exchange.search === "" && !hasBody(req));
    const cleanUp = nothingToRead
      ? undefined
      : await readRequest(req, exchange.search, live, { view, rules: this.#rules(exchange) });
    const place = this.#open.put({ identity, credentials, view, noted });
    try {
      if (noted !== rechecks.count)
        await rechecks.assert(noted, { identity, credentials }, gate, () => this.#host.current());
      const out = early ? outgoing(early) : await runHandler(live, view, this.#host.report);
      drain(req, res);
      const sent = this.#reply(exchange, out, () => view.streamed());
      if (sent) await sent;
    } finally {
      this.#open.clear(place);
      await cleanUp?.();
    }
  }

  #rules({ req, res }: Exchange): ReadRules {
    const { uploadDir } = this.#host;
    const { limits } = this.#host.settings();
    return { limits, uploadDir, uploads: this.#uploads, invite: () => invite(req, res) };
  }

  /** A promise only when something must be waited for: an `http:reply` tap, a streamed body. */
  #reply(exchange: Exchange, out: Outgoing, cancellation: () => Cancellation): Promise<void> | undefined {
    const { generation, res } = exchange;
    if (generation.hooks.has("http:reply")) return this.#tappedReply(exchange, out, cancellation);
    out.headers = this.#headers(exchange, out.headers);
    return send(res, out, cancellation, this.#batch);
  }

  async #tappedReply(exchange: Exchange, out: Outgoing, cancellation: () => Cancellation): Promise<void> {
    const { generation, res } = exchange;
    const facts = { status: out.status, headers: out.headers };
    const { headers, status } = await generation.hooks.run("http:reply", facts, this.#facts(exchange, ""));
    await send(
      res,
      { status, headers: this.#headers(exchange, { ...headers }), body: out.body },
      cancellation,
      this.#batch,
    );
  }

  async #probe(exchange: Exchange): Promise<void> {
    exchange.label = exchange.path;
    const readiness = this.#host.readiness();
    const out: Outgoing =
      exchange.path === "/health"
        ? { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: "ok" }
        : {
            status: readiness.ready ? 200 : 503,
            headers: { "content-type": "application/json" },
            body: `${JSON.stringify(readiness)}\n`,
          };
    await send(exchange.res, { ...out, headers: this.#headers(exchange, out.headers) }, neverAborts, this.#batch);
  }

  #requireUp(generation: Generation, owner: Instance): void {
    if (generation.blocked === "" || repairOwners.has(owner.id)) return;
    throw new GatewayError("CRITICAL_DOWN", 503, generation.blocked);
  }

  async #refuse(exchange: Exchange, error: GatewayError): Promise<void> {
    const { res, req, generation } = exchange;
    if (res.headersSent || res.destroyed) return void res.destroy();
    const asked = generation.hooks.run("http:error", error, this.#failedFacts(exchange));
    const mapped = await asked.catch(() => undefined);
    const out = mapped ? outgoing(mapped) : renderError(error, req.headers.accept);
    const headers = this.#headers(exchange, out.headers);
    drain(req, res);
    await send(res, { ...out, headers }, neverAborts, this.#batch)?.catch(() => res.destroy());
  }

  /** A path that was refused as ambiguous is told as it came: whose dialect the client speaks shows at its beginning. */
  #failedFacts(exchange: Exchange): RequestFacts {
    const facts = this.#facts(exchange, "");
    return facts.path === "" ? { ...facts, path: (exchange.req.url ?? "").split("?", 1)[0] as string } : facts;
  }

  #facts(exchange: Exchange, address: string): RequestFacts {
    const { id, req, path, identity, view } = exchange;
    const { method = "GET", headers } = req;
    return { id, method, path, headers, address, identity, query: view?.query };
  }

  #headers(exchange: Exchange, headers: Record<string, string>): Record<string, string> {
    headers["x-request-id"] = exchange.id;
    return exchange.req.headers.origin === undefined
      ? headers
      : Object.assign(headers, this.#host.gate.cors(exchange.req));
  }
}

const neverAborts = () => new Canceller();
