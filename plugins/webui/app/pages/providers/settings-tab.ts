/** All settings of one provider, as a form of its schema; secrets stay where they are. */
import { html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { call } from "../../client/http.ts";
import { href } from "../../client/router.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import { Load } from "../../parts/load.ts";
import { Part } from "../../parts/part.ts";
import { freeSchema, type Schema } from "../../parts/schema-form/schema.ts";
import { at } from "../../parts/schema-form/values.ts";
import "../../parts/settings-form.ts";
import { ask } from "./wish.ts";
import { providerPath } from "./writes.ts";

interface Section {
  readonly schema: Schema;
  readonly hot: readonly string[];
  readonly value?: unknown;
}

@customElement("provider-settings")
export class SettingsTab extends Part {
  @property() name = "";
  readonly #section = new Load(this, (signal) => call<Section>("plugins.info", { id: "providers" }, { signal }), {
    events: ["config_changed"],
  });

  override render() {
    return this.#section.show(({ schema, hot, value }) => {
      const own = freeSchema(schema.properties?.providers ?? {}, this.name) ?? {};
      return html`<ui-settings-form .schema=${own} .hot=${hot} .effective=${at(value, ["providers", this.name])} path=${providerPath(this.name)}
          @saved=${() => ask(this, "changed")}></ui-settings-form>
        ${session.can("admin") ? html`<p class="small"><a href=${href("config")}>${t("providers.config")}</a></p>` : ""}`;
    });
  }
}
