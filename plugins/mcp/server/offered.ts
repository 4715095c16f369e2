/** The shapes of what is offered to MCP clients; `W` is who asks, as it came with the request. */

/** A tool as a client sees it. */
export interface ShownTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: "object"; readonly [word: string]: unknown };
  readonly annotations: { readonly readOnlyHint: boolean };
}

export interface ShownResource {
  readonly uri: string;
  readonly name: string;
  readonly mimeType: string;
  readonly size: number;
  readonly annotations: { readonly lastModified: string };
}

export interface ShownTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly description: string;
  readonly mimeType: string;
}

export interface ShownText {
  readonly uri: string;
  readonly mimeType: string;
  readonly text: string;
}

export interface ShownPrompt {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly { readonly name: string; readonly description: string; readonly required: boolean }[];
}

export interface ShownMedia {
  readonly type: "image" | "audio";
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
}

export interface ToolResult {
  readonly ok: boolean;
  readonly text: string;
  readonly media: readonly ShownMedia[];
}

export interface ToolOffer<W> {
  list(who: W): readonly ShownTool[];
  /** Undefined: there is no such tool. */
  call(
    call: { readonly name: string; readonly input: unknown },
    who: W,
    signal: AbortSignal,
  ): Promise<ToolResult | undefined>;
}

/** An argument of a template or a prompt, and what was typed of it. */
export interface Typed {
  readonly name: string;
  readonly value: string;
}

export interface ResourceOffer<W> {
  isThere(): boolean;
  readonly templates: readonly ShownTemplate[];
  /** Whether something may come to be at this address. */
  isOurs(uri: string): boolean;
  list(who: W): Promise<readonly ShownResource[]>;
  /** Undefined: nothing is there. */
  read(uri: string, who: W): Promise<ShownText | undefined>;
  /** What the argument may become, the likeliest first. Undefined: there is no such template or argument. */
  complete(template: string, argument: Typed, who: W): Promise<readonly string[] | undefined>;
}

export interface PromptOffer<W> {
  isThere(): boolean;
  list(who: W): Promise<readonly ShownPrompt[]>;
  /** As that of resources. */
  complete(name: string, argument: Typed, who: W): Promise<readonly string[] | undefined>;
  /** Undefined: there is no such prompt. */
  get(
    name: string,
    values: Readonly<Record<string, string>>,
    who: W,
  ): Promise<{ readonly description: string; readonly text: string } | undefined>;
}

export interface Offer<W> {
  readonly tools: ToolOffer<W>;
  readonly resources: ResourceOffer<W>;
  readonly prompts: PromptOffer<W>;
}

/** Which lists are others now, and which resources have another text. */
export interface Notice {
  readonly tools: boolean;
  readonly prompts: boolean;
  readonly resources: boolean;
  readonly updated: readonly string[];
}
