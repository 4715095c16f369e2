/** Names of remote tools here: `mcp__server__tool`, at most 64 characters, each once. */

const longest = 64;

/** The name of a tool when no other has it. */
export function localName(server: string, tool: string): string {
  const name = `mcp__${segment(server)}__${segment(tool)}`;
  return name.length <= longest ? name : cut(name, `_${fnv32(`${server}::${tool}`)}`);
}

/** The same with `_2`, `_3` … while it is taken; the result is taken from then on. */
export function uniqueName(server: string, tool: string, taken: Set<string>): string {
  const base = localName(server, tool);
  let name = base;
  for (let count = 2; taken.has(name); count += 1) name = cut(base, `_${count}`);
  taken.add(name);
  return name;
}

function cut(name: string, ending: string): string {
  return name.slice(0, longest - ending.length) + ending;
}

function segment(text: string): string {
  const plain = text
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
  return plain || "tool";
}

/** FNV-1a, 8 hex digits: ClawGo's names of long tools. */
function fnv32(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
