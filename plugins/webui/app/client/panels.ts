/** The panels of the live plugins that this person may see, in order: what the navigation is made of. */
import { gateway } from "./gateway.ts";
import { get } from "./http.ts";
import { session } from "./session.ts";

export interface PanelFacts {
  readonly id: string;
  readonly title: string;
  /** By language; `title` stands in for what is missing. */
  readonly titles?: Readonly<Record<string, string>>;
  readonly icon: string;
  /** An address of the gateway, or `webui:NAME`: a page of our own. */
  readonly module: string;
  /** Id of the plugin. */
  readonly owner: string;
  /** Of the plugin. */
  readonly version: string;
}

export class Panels extends EventTarget {
  #list: readonly PanelFacts[] | undefined;
  #pending: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    gateway.on(["plugin_state", "generation"], () => this.#soon());
    gateway.addEventListener("back", () => void this.refresh().catch(() => undefined));
  }

  /** Undefined until they are known. */
  get list(): readonly PanelFacts[] | undefined {
    return this.#list;
  }

  find(id: string): PanelFacts | undefined {
    return this.#list?.find((panel) => panel.id === id);
  }

  /** Keeps what it has when the gateway does not answer. */
  async refresh(): Promise<void> {
    if (!session.isSignedIn) return;
    const list = await get<PanelFacts[]>("/api/panels");
    if (JSON.stringify(list) === JSON.stringify(this.#list)) return;
    this.#list = list;
    this.dispatchEvent(new Event("change"));
  }

  /** One change of the plugins tells several things at once. */
  #soon(): void {
    clearTimeout(this.#pending);
    this.#pending = setTimeout(() => void this.refresh().catch(() => undefined), 50);
  }
}

export const panels = new Panels();
