/**
 * `/steps`: a turn with several rounds of tool calls, written down line by line, so that what an agent does with tools can
 * be shown and tested without a real model. A line is `NAME {json}` (a call), `& NAME {json}` (a call in the same round) or
 * `say TEXT` (the answer, which ends the turn). `{{1}}` stands for the output of the first call, `{{1:2}}` for its second
 * line, `{{1.key}}` for a value in it when it is JSON, `{{last}}` for the newest output, `{{said}}` for what the user said
 * since. Pure.
 */
import { contentText, type Message, type ToolCall } from "@chela/sdk";

export interface Step {
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

interface Script {
  readonly rounds: readonly (readonly { readonly name: string; readonly args: string }[])[];
  readonly say: string | undefined;
}

const maxLines = 100;
const head = /^\/steps(?![a-z])\s*/;

/** The next step of the newest script; undefined when there is none or when it has been answered. */
export function nextStep(messages: readonly Message[], offered: readonly string[]): Step | undefined {
  const from = messages.findLastIndex((message) => message.role === "user" && head.test(textOf(message).trim()));
  if (from < 0) return undefined;
  const after = messages.slice(from + 1);
  const done = after.filter(({ role }) => role === "assistant");
  if (done.some(({ toolCalls }) => !toolCalls?.length)) return undefined;
  // Another command is another matter.
  if (after.some((message) => message.role === "user" && /^\/[a-z]/.test(textOf(message).trim()))) return undefined;
  const script = parse(textOf(messages[from]).trim().replace(head, ""));
  const outputs = after.filter(({ role }) => role === "tool").map(textOf);
  const said = after.filter(({ role }) => role === "user").map(textOf);
  const round = script.rounds[done.length];
  if (!round || offered.length === 0) return { text: ending(script, outputs, said), calls: [] };
  const missing = round.find(({ name }) => !offered.includes(name));
  if (missing) {
    return { text: `The tool "${missing.name}" is not offered here. Offered: ${offered.join(", ")}.`, calls: [] };
  }
  const calls = round.map(({ name, args }, index) => ({
    id: `call_offline_${messages.length}_${index}`,
    name,
    arguments: filled(args, outputs, said, true) || "{}",
  }));
  return { text: "", calls };
}

function parse(text: string): Script {
  const rounds: { name: string; args: string }[][] = [];
  for (const line of text.split(/\r?\n/).slice(0, maxLines)) {
    const step = line.trim();
    if (step === "" || step.startsWith("#")) continue;
    if (/^say(\s|$)/.test(step)) return { rounds, say: step.slice(3).trim() };
    const together = step.startsWith("&");
    const [, name = "", args = ""] = /^(\S+)\s*(.*)$/.exec(step.replace(/^&\s*/, "")) ?? [];
    const last = rounds.at(-1);
    if (together && last) last.push({ name, args });
    else rounds.push([{ name, args }]);
  }
  return { rounds, say: undefined };
}

function ending({ say }: Script, outputs: readonly string[], said: readonly string[]): string {
  if (say !== undefined) return filled(say, outputs, said, false);
  return outputs.length === 0 ? "Done, without a call." : `Done. The last tool answered: ${outputs.at(-1)}`;
}

function filled(text: string, outputs: readonly string[], said: readonly string[], quoted: boolean): string {
  return text.replace(/\{\{(\d{1,3}|last|said)(?::(\d{1,5})|\.([\w.-]{1,100}))?\}\}/g, (_, which, line, key) => {
    const whole =
      which === "said" ? said.join("\n") : outputs[which === "last" ? outputs.length - 1 : Number(which) - 1];
    const value = part(whole ?? "", line as string | undefined, key as string | undefined);
    return quoted ? JSON.stringify(value).slice(1, -1) : value;
  });
}

function part(text: string, line: string | undefined, key: string | undefined): string {
  if (line !== undefined) return text.split(/\r?\n/)[Number(line) - 1] ?? "";
  if (key === undefined) return text;
  try {
    let value: unknown = JSON.parse(text);
    for (const name of key.split(".")) {
      value =
        typeof value === "object" && value !== null && Object.hasOwn(value, name)
          ? Reflect.get(value, name)
          : undefined;
    }
    return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  } catch {
    return "";
  }
}

export function textOf(message: Message | undefined): string {
  return contentText(message?.content ?? "");
}
