/** Just enough of a browser for the pages of oidc-provider: cookies, redirects, and forms that are filled in and sent. */

interface Page {
  readonly url: URL;
  readonly text: string;
}

export class Browser {
  readonly #account: string;
  readonly #cookies = new Map<string, string>();

  constructor(account: string) {
    this.#account = account;
  }

  /** Logs in and consents until the server sends it to an address that is not its own. */
  async follow(start: string, origin: string): Promise<string> {
    let page = await this.#open(start, origin);
    for (let step = 0; step < 10 && typeof page !== "string"; step += 1) page = await this.#submit(page, origin);
    if (typeof page !== "string") throw new Error("the login does not end");
    return page;
  }

  async confirmDevice(start: string): Promise<void> {
    const { origin } = new URL(start);
    let page = await this.#open(start, origin);
    for (let step = 0; step < 10; step += 1) {
      if (typeof page === "string" || /sign-in success|signed in/i.test(page.text)) return;
      page = await this.#submit(page, origin);
    }
    throw new Error("the device is not confirmed");
  }

  /** The page, or the foreign address that it leads to. */
  async #open(start: string | URL, origin: string, form?: URLSearchParams): Promise<Page | string> {
    let url = new URL(start);
    let body = form;
    for (let hop = 0; hop < 10; hop += 1) {
      if (url.origin !== origin) return url.href;
      const headers: Record<string, string> = { cookie: [...this.#cookies].map((pair) => pair.join("=")).join("; ") };
      const response = await fetch(url, {
        method: body ? "POST" : "GET",
        headers,
        redirect: "manual",
        ...(body ? { body } : {}),
      });
      for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
      const location = response.headers.get("location");
      const text = await response.text();
      if (location === null) {
        if (response.status >= 400)
          throw new Error(`${url.pathname} answered ${response.status}: ${text.slice(0, 500)}`);
        return { url, text };
      }
      url = new URL(location, url);
      body = undefined;
    }
    throw new Error("too many redirects");
  }

  #submit({ url, text }: Page, origin: string): Promise<Page | string> {
    const action = /<form[^>]*action="([^"]*)"/.exec(text)?.[1];
    if (action === undefined) throw new Error(`no form on ${url.pathname}: ${text.slice(0, 500)}`);
    const fields = new URLSearchParams();
    for (const [input] of text.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(input)?.[1];
      if (name !== undefined) fields.set(name, /value="([^"]*)"/.exec(input)?.[1] ?? "");
    }
    if (fields.has("login")) {
      fields.set("login", this.#account);
      fields.set("password", "any");
    }
    if (/name="confirm"|value="yes"/.test(text)) fields.set("confirm", "yes");
    return this.#open(new URL(action, url), origin, fields);
  }

  #keep(cookie: string): void {
    const [pair = ""] = cookie.split(";");
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (pair.slice(at + 1) === "") this.#cookies.delete(name);
    else this.#cookies.set(name, pair.slice(at + 1));
  }
}
