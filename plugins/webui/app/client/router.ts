/** The page's address: `#/plugins/mcp?tab=settings`. In the fragment, so that it means the same below any prefix. */

export interface Place {
  /** Id of the panel. */
  readonly panel: string;
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

export class Router extends EventTarget {
  constructor() {
    super();
    addEventListener("hashchange", () => this.dispatchEvent(new Event("change")));
  }

  get place(): Place {
    const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
    const [panel = "", ...rest] = path.split("/").map(decoded);
    return { panel, rest: rest.filter((part) => part !== ""), query: new URLSearchParams(search) };
  }

  /** `replace` leaves no step in the history. */
  go(href: string, options: { replace?: boolean } = {}): void {
    if (!options.replace) {
      location.hash = href;
      return;
    }
    history.replaceState(null, "", href);
    this.dispatchEvent(new Event("change"));
  }
}

export const router = new Router();

/** `href("plugins", "mcp")` is `#/plugins/mcp`. */
export function href(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
