/** Sets the attributes of a drawn shape: an icon is data. */
import { noChange } from "lit";
import { Directive, directive, type ElementPart } from "lit/directive.js";

type Attributes = Readonly<Record<string, string | number | undefined>>;

class Spread extends Directive {
  override render(_: Attributes): symbol {
    return noChange;
  }

  override update(part: ElementPart, [attributes]: [Attributes]): symbol {
    for (const [name, value] of Object.entries(attributes)) part.element.setAttribute(name, String(value));
    return noChange;
  }
}

export const spread = directive(Spread);
