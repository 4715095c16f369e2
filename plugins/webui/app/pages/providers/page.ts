/** The page of model providers: all of them at `#/providers`, one at `#/providers/NAME`; what was typed into one stays while others are seen. */
import { html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { call } from "../../client/http.ts";
import { href, type Place, router } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { toastError } from "../../parts/toast.ts";
import "./detail.ts";
import "./overview.ts";
import { type Listing, type Preset, type Provider, providerEvents } from "./shapes.ts";
import type { Wish } from "./wish.ts";
import { foundEdits, removalEdits, writeEdits, written } from "./writes.ts";

/** So many are kept behind the one that is seen. */
const keptOpen = 6;

@customElement("chela-page-providers")
export class ProvidersPage extends Part {
  @property({ attribute: false }) place?: Place;
  @state() private opened: readonly string[] = [];
  @state() private adding: string | undefined;
  @state() private login = "";
  @state() private dialogsThere = false;
  readonly #listing = new Load(this, load, { events: providerEvents });

  override connectedCallback(): void {
    super.connectedCallback();
    this.listen(session, "change", () => this.requestUpdate());
    this.addEventListener("provider", (event) => this.act(event as CustomEvent<Wish>));
  }

  override willUpdate(): void {
    const name = this.place?.rest[0];
    if (name === undefined || this.opened.at(-1) === name) return;
    this.opened = [...this.opened.filter((other) => other !== name), name].slice(-keptOpen);
  }

  override render() {
    const name = this.place?.rest[0];
    const tab = this.place?.query.get("tab") ?? "";
    return html`<div class="page">
      ${this.#listing.show(
        (listing) => html`<providers-overview ?hidden=${name !== undefined} .listing=${listing}></providers-overview>
          ${repeat(
            [...this.opened].sort(),
            (one) => one,
            (one) =>
              html`<provider-detail ?hidden=${one !== name} name=${one} tab=${one === name ? tab : ""} .listing=${listing}></provider-detail>`,
          )}
          ${this.dialogsThere ? this.dialogs(listing) : ""}`,
      )}
    </div>`;
  }

  private dialogs(listing: Listing): unknown {
    return html`<provider-add .start=${this.adding} .listing=${listing} @close=${() => {
      this.adding = undefined;
    }}></provider-add>
      <provider-login name=${this.login} @close=${() => {
        this.login = "";
      }}></provider-login>`;
  }

  private async act({ detail: { wish, name } }: CustomEvent<Wish>): Promise<void> {
    try {
      if (wish === "remove") await this.takeOut(name);
      else if (wish === "keep") await this.keep(name);
      else if (wish === "clear") await call("providers.clear", { provider: name });
      else if (wish !== "changed") await this.open(wish, name);
    } catch (error) {
      toastError(error);
    }
    await this.#listing.again();
  }

  private async open(wish: "add" | "login", name: string): Promise<void> {
    await Promise.all([import("./add-dialog.ts"), import("./login-dialog.ts")]);
    this.dialogsThere = true;
    if (wish === "add") this.adding = name;
    else {
      this.adding = undefined;
      this.login = name;
    }
  }

  private async takeOut(name: string): Promise<void> {
    const sure = await confirm({ text: t("providers.remove.sure", { name }), action: t("ui.remove"), danger: true });
    if (!sure) return;
    await writeEdits(await removalEdits(name), t("providers.removed", { name }), true);
    this.opened = this.opened.filter((one) => one !== name);
    if (this.place?.rest[0] === name) router.go(href("providers"), { replace: true });
  }

  /** Writes what was found into the config, so that it stays. */
  private async keep(name: string): Promise<void> {
    const { presets } = await call<{ presets: readonly Preset[] }>("providers.presets");
    const found = this.#listing.value?.providers.filter(({ source }: Provider) => source === "discovered") ?? [];
    // The first provider in the config ends the search: those that are found then are found no more.
    await writeEdits(foundEdits(found, presets), t("providers.kept", { n: found.length, name }));
  }
}

async function load(signal: AbortSignal): Promise<Listing> {
  const at = Date.now();
  const [list, config] = await Promise.all([
    call<Omit<Listing, "configured" | "at">>("providers.list", {}, { signal }),
    written<Record<string, unknown>>("models.providers", signal),
  ]);
  return { ...list, configured: Object.keys(config ?? {}), at };
}
