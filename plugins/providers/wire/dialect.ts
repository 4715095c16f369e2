/** What a wire dialect is: a normalised request becomes a body, and the pieces of its reply become ModelEvents. Each is loaded on its first use. */
import type { ModelEvent, ModelRequest } from "@chela/sdk";
import type { Signed } from "../credentials/credential.ts";
import type { Culprit } from "../failover/faults.ts";
import type { ProviderSpec } from "../settings.ts";
import type { ToolTexts } from "./chat/tool-texts.ts";

export type WireName = "chat" | "responses" | "anthropic" | "gemini";

/** Whom a reply is from. */
export interface Target extends Culprit {
  readonly provider: string;
  readonly model: string;
}

/** The HTTP side of one call. */
export interface WireRequest {
  /** Below the prefix of the provider's base URL, with its query. */
  readonly path: string;
  readonly body: string;
  /** Name, value, name, value … beside those of the provider. */
  readonly headers: readonly string[];
}

export interface Wire {
  readonly name: WireName;
  /** Whether the reply is to be streamed is the wire's to say in path and body. `texts`: of tools, from requests before. */
  request(request: ModelRequest, model: string, spec: ProviderSpec, texts?: ToolTexts): WireRequest;
  /** The body as a vendor wants it that knows accounts by what is in it. */
  enclose?(body: string, model: string, signed: Signed, spec: ProviderSpec): string;
  /** Name, value … that carry the credential. */
  sign(signed: Signed, spec: ProviderSpec): readonly string[];
  reader(target: Target, spec: ProviderSpec, request: ModelRequest): ReplyReader;
  /** How the vendor lists its models. */
  readonly list: ModelList;
  /** How the vendor counts the tokens of a request, where it does. */
  readonly count?: TokenCount;
}

/** Assembles one reply. Everything that is wrong with it is thrown as an upstream's fault. */
export interface ReplyReader {
  /** Nothing more is expected. */
  readonly done: boolean;
  /** The upstream has said how the reply ends. */
  readonly complete: boolean;
  /** One server-sent event; adds what it brings to `out`. */
  event(name: string | undefined, data: string, out: ModelEvent[]): void;
  /** A reply that came whole. */
  whole(text: string, out: ModelEvent[]): void;
  /** The end of the reply: what was still open, then `done`. Throws `UPSTREAM_CUT` when it is not complete. */
  finish(out: ModelEvent[]): void;
}

/** One page of a list of models; `next` is what `path` takes for the page after it. */
export interface ModelList {
  path(spec: ProviderSpec, next?: string): string;
  read(page: Readonly<Record<string, unknown>>): { readonly ids: readonly string[]; readonly next?: string };
}

export interface TokenCount {
  request(request: ModelRequest, model: string, spec: ProviderSpec): WireRequest;
  read(reply: Readonly<Record<string, unknown>>): number | undefined;
}
