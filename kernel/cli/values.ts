/** What people type as config values and option arguments. */
import { GatewayError } from "@chela/sdk";

/** JSON when it parses as JSON, else the words as they are: `true`, `3.5`, `"7"`, `{"a":1}`, `openai/gpt-5.4`. */
export function configValue(words: readonly string[]): unknown {
  const text = words.join(" ").trim();
  try {
    return JSON.parse(text);
  } catch {
    if (text.length > 1 && text.startsWith("'") && text.endsWith("'")) return text.slice(1, -1);
  }
  if (/^[[{]/.test(text)) {
    throw new GatewayError(
      "USAGE",
      400,
      `The value ${text.slice(0, 80)} begins like JSON but is not. Quote it for the shell: '{"a":1}'.`,
    );
  }
  return text;
}

/** An option that takes a whole number. */
export function integerOption(value: unknown, name: string, range: { min: number; max: number }): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (typeof value === "string" && /^\d+$/.test(value) && number >= range.min && number <= range.max) return number;
  throw new GatewayError(
    "USAGE",
    400,
    `${name} must be a whole number from ${range.min} to ${range.max}, not ${JSON.stringify(value)}.`,
  );
}

/** An option that takes text. */
export function textOption(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
