/** What an error says in one line, whatever was thrown: plugins throw strings, plain objects and things without a text. */

const longest = 2000;

export function explain(error: unknown): string {
  try {
    const errors = error instanceof AggregateError ? error.errors.slice(0, 10) : [error];
    return errors.map(textOf).join("; ").slice(0, longest) || "an error without a message";
  } catch {
    return "an error that cannot be read";
  }
}

function textOf(error: unknown): string {
  const isObject = typeof error === "object" && error !== null;
  return String(isObject && "message" in error ? error.message : error);
}
