/**
 * What the page of a plugin meets in the WebUI. Types only: the WebUI is made against them, and a panel in TypeScript or with JSDoc
 * is checked by them. `import type { PanelClient } from "@chela/sdk/panel"`.
 */
import type { Access } from "./identity.ts";

export type { Access } from "./identity.ts";

// What the gateway's methods answer, for pages that show it.
export type { Backup, ChangeResult, ConfigDraft, LocatedProblem, PlannedChange } from "./services/config.ts";
export type { GatewayStatus } from "./services/gateway.ts";
export type { McpServer, McpServerCheck } from "./services/mcp.ts";
export type { Outdated, PluginInfo, PluginRow, PluginState } from "./services/plugins.ts";
export type { UsageTotals } from "./services/usage.ts";
export type { MemoryHit, WorkspaceFile } from "./services/workspace.ts";

/** What the element `chela-panel-ID` is handed by the WebUI. */
export interface PanelProperties {
  /** Once, before the element is shown. */
  chela: PanelClient;
  /** Each time the address leads to the panel. */
  place?: PanelPlace;
}

/** The address `#/ID/rest?query`. */
export interface PanelPlace {
  /** Id of the panel. */
  readonly panel: string;
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

/** The gateway, with the rights of the person who is signed in, and what makes a page at home in the WebUI. */
export interface PanelClient {
  /** Id of the panel. */
  readonly id: string;
  /** Id of the plugin that owns it. */
  readonly plugin: string;

  /** Asks the gateway; paths begin with `/`. Rejects with a `PanelError` for every refusal. */
  request(path: string, options?: PanelRequest): Promise<Response>;
  /** The JSON at a path. */
  get<T>(path: string, options?: PanelRequest): Promise<T>;
  /** Sends JSON, a form or a file; gives back JSON. */
  post<T>(path: string, body: unknown, options?: PanelRequest): Promise<T>;
  /** Runs an RPC method. */
  call<T>(method: string, params?: unknown, options?: PanelRequest): Promise<T>;
  /** A WebSocket of the gateway that comes back by itself. Close it when the element leaves the page. */
  stream(path: string, handlers: PanelStreamHandlers): PanelStream;
  /** Hears the gateway's events of these types, those of `ctx.emit` too. Returns its own undo, as everything that begins with `on` does. */
  on(types: readonly string[], tell: (event: PanelEvent) => void): () => void;
  /** The gateway is there again after a break: load anew. */
  onBack(again: () => void): () => void;

  /** `en`, `zh-CN` or `zh-TW`. */
  readonly locale: string;
  onLocale(changed: () => void): () => void;
  /** The one of these texts that suits the locale, else the English one: `text({ en: "Save", "zh-CN": "保存" })`. */
  text(texts: Readonly<Record<string, string>>): string;

  /** What is on the screen; for what draws with colours of its own. */
  readonly theme: "light" | "dark";
  onTheme(changed: () => void): () => void;
  /** The WebUI's own sheet of controls, cards and tables: `shadow.adoptedStyleSheets = [chela.styles]`. */
  readonly styles: PanelStyles;

  /** Whether this person may do what demands this access; the gateway decides all the same. */
  can(access: Access): boolean;
  /** Leads to another page: `#/plugins`. */
  go(address: string): void;
  /** A sentence at the edge of the page; `bad` stays until it is dismissed. */
  toast(text: string, kind?: "info" | "ok" | "warn" | "bad"): void;
  /** Asks before what cannot be undone. */
  confirm(question: PanelQuestion): Promise<boolean>;
}

/** As of `fetch`, but that `body` is sent as JSON unless it is a form, a file or a text. */
export interface PanelRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Milliseconds, default 30 000; 0 waits for ever. For `request` they end with the head of the reply. */
  readonly timeout?: number;
}

/** What a refused request rejects with; `status` 0: the gateway does not answer. */
export interface PanelError extends Error {
  readonly status: number;
  /** As in the reference of errors: `NOTES_FULL`. */
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An event of the gateway: its payload beside its type. */
export interface PanelEvent {
  readonly type: string;
  readonly seq?: number;
  readonly [fact: string]: unknown;
}

/** What a stream tells. */
export interface PanelStreamHandlers {
  /** Each time it opened: say here what the gateway has to know again. */
  opened?(): void;
  frame(frame: Record<string, unknown>): void;
  closed?(code: number): void;
}

/** An open stream. */
export interface PanelStream {
  readonly isOpen: boolean;
  /** False when it is not open: nothing is kept for later. */
  send(frame: unknown): boolean;
  close(): void;
}

/** Something to say yes to. */
export interface PanelQuestion {
  readonly heading?: string;
  readonly text: string;
  /** The label of the button that does it. */
  readonly action: string;
  readonly danger?: boolean;
}

/** A `CSSStyleSheet`, where the types of the browser are known. */
export type PanelStyles = typeof globalThis extends { CSSStyleSheet: { prototype: infer Sheet } } ? Sheet : unknown;
