/** The page of a new plugin: one file of plain JavaScript that browsers load as it is, checked by the types in its comments. */

export function panelFile(id: string): string {
  return `${head}${element(id)}${greeting(id)}`;
}

const head = `/**
 * The page in the WebUI: one ES module that registers one element. It is served as it is; the comments with an @ are for editors.
 * @import { PanelClient } from "@chela/sdk/panel"
 */

const words = {
  hello: { en: "Greetings", "zh-CN": "问候", "zh-TW": "問候" },
  name: { en: "Name", "zh-CN": "名字", "zh-TW": "名字" },
  greet: { en: "Greet", "zh-CN": "打招呼", "zh-TW": "打招呼" },
};
`;

function element(id: string): string {
  return `
class Panel extends HTMLElement {
  /** The WebUI sets it before it shows the element. @type {PanelClient} */
  chela = /** @type {never} */ (undefined);
  /** @type {(() => void)[]} */
  #undo = [];
  #text = make("p", { role: "status" });
  #input = make("input", { id: "name", required: true, maxLength: 100 });
  #heading = make("h1");
  #label = make("label", { htmlFor: "name" });
  #button = make("button", { className: "primary" });

  constructor() {
    super();
    const form = make("form", { className: "card stack" }, this.#label, this.#input, this.#button, this.#text);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.greet();
    });
    this.attachShadow({ mode: "open" }).append(make("div", { className: "page stack" }, this.#heading, form));
  }

  connectedCallback() {
    // The WebUI's own look; its colours follow the theme.
    /** @type {ShadowRoot} */ (this.shadowRoot).adoptedStyleSheets = [this.chela.styles];
    this.#undo.push(this.chela.onLocale(() => this.say()));
    // Everyone is greeted now and then: index.ts sends it.
    const stream = this.chela.stream("/api/${id}/live", { frame: ({ text }) => this.show(String(text)) });
    this.#undo.push(() => stream.close());
    this.say();
  }

  disconnectedCallback() {
    for (const undo of this.#undo.splice(0)) undo();
  }

  say() {
    this.#heading.textContent = this.chela.text(words.hello);
    this.#label.textContent = this.chela.text(words.name);
    this.#button.textContent = this.chela.text(words.greet);
  }
`;
}

function greeting(id: string): string {
  return `
  async greet() {
    try {
      const { text } = await this.chela.get(\`/api/${id}?name=\${encodeURIComponent(this.#input.value)}\`);
      this.show(text);
    } catch (error) {
      this.chela.toast(/** @type {Error} */ (error).message, "bad");
    }
  }

  /** Text that others wrote is set as text. The WebUI refuses innerHTML. @param {string} text */
  show(text) {
    this.#text.textContent = text;
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]>} [properties]
 * @param {Node[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

customElements.define("chela-panel-${id}", Panel);
`;
}
