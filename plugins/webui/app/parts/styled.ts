/**
 * Styles that are known at run time only: `<div ${styled({ width: "40%" })}>`. Property by property, since the page's policy
 * refuses a style attribute, which lit's own styleMap begins with.
 */
import { noChange } from "lit";
import { Directive, directive, type ElementPart } from "lit/directive.js";

type Styles = Readonly<Record<string, string>>;

class Styled extends Directive {
  override render(_: Styles): symbol {
    return noChange;
  }

  override update(part: ElementPart, [styles]: [Styles]): symbol {
    const { style } = part.element as HTMLElement;
    for (const [name, value] of Object.entries(styles)) style.setProperty(name, value);
    return noChange;
  }
}

/** Names as in a sheet: `max-height`. */
export const styled = directive(Styled);
