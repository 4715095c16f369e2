/** How the page speaks with its gateway, without a browser: what it makes of answers, silence and strangers, and how it comes back. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { root } from "../../kit/sources.ts";

interface Refusal {
  readonly status: number;
  readonly code: string;
}
interface Link extends EventTarget {
  readonly state: string;
  start(): void;
  stop(): void;
}
interface Person extends EventTarget {
  readonly facts: { readonly signed_in: boolean } | undefined;
  readonly isBarred: boolean;
  refresh(): Promise<void>;
}

const stranger = { signed_in: false };
const answer = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const asked = vi.fn<(url: URL, init: RequestInit) => Promise<Response>>();
const made: FakeSocket[] = [];
/** What becomes of a connection: refused at once, cut as soon as it is there, or kept. */
let fate: "refused" | "cut" | "kept" = "kept";

class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  readyState = 0;
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number }) => void;

  constructor() {
    made.push(this);
    setTimeout(() => this.#begin(), 5);
  }

  send(): void {}

  close(code = 1006): void {
    this.readyState = 3;
    setTimeout(() => this.onclose?.({ code }), 0);
  }

  #begin(): void {
    if (fate !== "refused") {
      this.readyState = 1;
      this.onopen?.();
    }
    if (fate !== "kept") this.close();
  }
}

interface Client {
  get(path: string, options?: object): Promise<unknown>;
  request(path: string, options?: object): Promise<Response>;
  readonly session: Person;
  readonly GatewayLink: new () => Link;
}

let client: Client;

/** What the page finds in a browser. */
function stubBrowser(): void {
  const here = new EventTarget();
  vi.stubGlobal("document", Object.assign(new EventTarget(), { baseURI: "http://gateway.test/chela/" }));
  vi.stubGlobal("navigator", { languages: ["en"] });
  vi.stubGlobal("addEventListener", here.addEventListener.bind(here));
  vi.stubGlobal("removeEventListener", here.removeEventListener.bind(here));
  vi.stubGlobal("BroadcastChannel", class {});
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", asked);
}

// The page has a TypeScript project of its own.
const load = (name: string) => import(join(root, "plugins/webui/app/client", name)) as Promise<object>;

beforeEach(async () => {
  stubBrowser();
  const modules = await Promise.all(["http.ts", "session.ts", "gateway.ts"].map(load));
  client = Object.assign({}, ...modules) as Client;
  vi.useFakeTimers();
  made.length = 0;
  fate = "kept";
  asked.mockReset().mockImplementation(async () => answer(stranger));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const refusalOf = (promise: Promise<unknown>): Promise<Refusal> =>
  promise.then(
    () => expect.unreachable(),
    (error: Refusal) => error,
  );

/** Reads as long as nobody breaks it off. */
function endless({ signal }: RequestInit): Response {
  const body = new ReadableStream({
    start: (controller) => signal?.addEventListener("abort", () => controller.error(new Error("aborted"))),
  });
  return new Response(body);
}

describe("a request", () => {
  it("goes where the page came from, below its path, and nowhere else", async () => {
    await client.get("/api/version");
    expect(String(asked.mock.calls[0]?.[0])).toBe("http://gateway.test/chela/api/version");
    await expect(client.get("/../api")).rejects.toThrow(TypeError);
    await expect(client.get("//evil.example/x")).rejects.toThrow(TypeError);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("has a limit of time until all of its answer is there; one that is read in parts until its head is", async () => {
    asked.mockImplementation(async (_url, init) => endless(init));
    const slow = refusalOf(client.get("/api/slow"));
    const { body } = await client.request("/api/long");
    const reading = body?.getReader().read();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await slow).toMatchObject({ status: 0, code: "UNREACHABLE" });
    expect(await Promise.race([reading, "still reading"])).toBe("still reading");
  });

  it("knows an answer of somebody in between from one of the gateway", async () => {
    asked.mockResolvedValueOnce(new Response("<h1>Sign in</h1>"));
    expect(await refusalOf(client.get("/api/version"))).toMatchObject({ status: 200, code: "FOREIGN" });
    asked.mockResolvedValueOnce(answer({ error: { code: "NOT_FOUND", message: "none" } }, 404));
    expect(await refusalOf(client.get("/api/none"))).toMatchObject({ status: 404, code: "NOT_FOUND", message: "none" });
  });
});

describe("who is signed in", () => {
  it("is what the gateway was asked last, in whatever order it answers", async () => {
    asked.mockImplementationOnce(() => new Promise((resolve) => setTimeout(() => resolve(answer(stranger)), 1000)));
    const early = client.session.refresh();
    asked.mockResolvedValueOnce(answer({ signed_in: true }));
    await client.session.refresh();
    await vi.advanceTimersByTimeAsync(1000);
    await early;
    expect(client.session.facts).toEqual({ signed_in: true });
  });

  it("stays as it was while somebody in between wants to know it", async () => {
    const before = client.session.facts;
    asked.mockImplementation(async () => answer({}, 401));
    await expect(client.session.refresh()).rejects.toThrow();
    expect([client.session.isBarred, client.session.facts]).toEqual([true, before]);
    asked.mockImplementation(async () => answer(stranger));
    await client.session.refresh();
    expect(client.session.isBarred).toBe(false);
  });
});

describe("the connection", () => {
  async function started(): Promise<Link> {
    const link = new client.GatewayLink();
    link.start();
    await vi.advanceTimersByTimeAsync(10);
    return link;
  }

  it("tells that it is back after a break, and after somebody signed in again", async () => {
    const link = await started();
    const back = vi.fn();
    link.addEventListener("back", back);
    expect(link.state).toBe("online");
    made[0]?.close();
    await vi.advanceTimersByTimeAsync(500);
    expect([link.state, back.mock.calls.length]).toEqual(["online", 1]);
    link.stop();
    link.start();
    await vi.advanceTimersByTimeAsync(10);
    expect([link.state, back.mock.calls.length]).toEqual(["online", 2]);
    link.stop();
  });

  it("behind a proxy that passes on no WebSocket is tried ever more seldom, and told apart from a gateway that is away", async () => {
    fate = "refused";
    const link = await started();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(link.state).toBe("mute");
    expect(made.length).toBeLessThan(20);
    expect(asked.mock.calls.length).toBeLessThan(20);
    asked.mockRejectedValue(new TypeError("Failed to fetch"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(link.state).toBe("lost");
    link.stop();
  });

  it("that is cut as soon as it is there is no storm", async () => {
    fate = "cut";
    const link = await started();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made.length).toBeLessThan(20);
    link.stop();
  });

  it("is tried at once when a request comes through again", async () => {
    const link = await started();
    fate = "refused";
    asked.mockRejectedValue(new TypeError("Failed to fetch"));
    made[0]?.close();
    await vi.advanceTimersByTimeAsync(60_000);
    const before = made.length;
    fate = "kept";
    asked.mockImplementation(async () => answer(stranger));
    await client.get("/api/version");
    expect(made.length).toBe(before + 1);
    await vi.advanceTimersByTimeAsync(10);
    expect(link.state).toBe("online");
    link.stop();
  });
});
