/** A text with values in its places: `{name}` is filled in; of `one|many` the part that suits `{n}` is taken. */

export type Values = Readonly<Record<string, string | number>>;

export function fill(text: string, values: Values, locale: string): string {
  return form(text, values.n, locale).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return typeof value === "number" ? new Intl.NumberFormat(locale).format(value) : (value ?? whole);
  });
}

function form(text: string, n: string | number | undefined, locale: string): string {
  const cut = text.indexOf("|");
  if (cut === -1 || typeof n !== "number") return text;
  return new Intl.PluralRules(locale).select(n) === "one" ? text.slice(0, cut) : text.slice(cut + 1);
}
