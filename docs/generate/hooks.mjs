/** `hooks.md`: the runtime hooks with their kinds and signatures, and the events of the bus. */
import { code, page, prose, sentence, table } from "./markdown.mjs";
import { docOf, listNamed, parseSource, walk } from "./source.mjs";

const kinds = {
  bail: "the first tap that answers wins; the others are not asked",
  waterfall: "each tap may return a changed value; nothing returned keeps it",
  parallel: "observers, all at once; what they return is ignored",
  series: "observers, one after the other",
  sync: "called at once and never awaited",
};

export function hooksPage({ root, hookKinds, sources }) {
  const source = parseSource(root, "sdk/hooks.ts");
  const taps = new Map(membersOf(source, "HookTaps").map((tap) => [tap.name, tap]));
  const closed = listNamed(parseSource(root, "kernel/hooks.ts"), "failClosed");
  const guards = listNamed(parseSource(root, "kernel/hooks.ts"), "guardHooks");
  const callable = listNamed(parseSource(root, "kernel/instance/context.ts"), "callable");
  const rows = Object.entries(hookKinds).map(([name, kind]) => [
    code(name),
    kind,
    code(taps.get(name).signature),
    prose(sentence(taps.get(name).doc)),
  ]);
  return page(
    "# Hooks and events",
    'The set of hooks is closed; `ctx.on(hook, tap, order?)` taps one, and `order` is `"pre"` or `"post"`. Generated from `sdk/hooks.ts`; the types are in `@chela/sdk`.',
    table(["hook", "kind", "a tap", "meaning"], rows),
    "## Kinds",
    table(
      ["kind", "what a tap may do"],
      Object.entries(kinds).map(([kind, what]) => [kind, prose(what)]),
    ),
    "## A tap that fails",
    `A tap that throws is counted against its plugin and logged; the others go on. On ${names(closed)} a fault means refusal, and so it does on ${names(guards)} when the plugin is critical. A tap that throws a \`GatewayError\` on purpose refuses with it. A tap has 30 seconds.`,
    "## Running a hook",
    `A plugin may run the hooks of the conversation itself, with \`ctx.call\`: ${names(callable)}. The others belong to the kernel.`,
    "## Events",
    "What the gateway and the built-in plugins publish. Subscribers of `/api/events/live` get `{type, seq, at, …payload}`; the last 1,000 are repeated to a client that comes back with `?since=SEQ`. A plugin publishes its own with `ctx.emit`.",
    table(["event", "payload", "from"], eventRows(sources)),
  );
}

function names(list) {
  return list.map(code).join(", ");
}

/** `{name, signature, doc}` of each member of an interface. */
export function membersOf(source, name) {
  const declared = source.program.body
    .map((node) => (node.type === "ExportNamedDeclaration" ? node.declaration : node))
    .find((node) => node?.type === "TSInterfaceDeclaration" && node.id.name === name);
  if (!declared) throw new Error(`${source.path} has no interface ${name} any more`);
  return declared.body.body.map((member) => ({
    name: member.key?.value ?? member.key?.name ?? "",
    signature: signatureOf(source, member),
    doc: docOf(source, member),
  }));
}

/** The member as it is written, without `readonly`; of a property with a quoted name, its type alone. */
function signatureOf({ text }, member) {
  const whole = text
    .slice(member.start, member.end)
    .replace(/\/\*\*[\s\S]*?\*\//g, "")
    .replace(/;$/, "");
  return whole
    .replace(/^"[^"]+":\s*/, "")
    .replaceAll("readonly ", "")
    .replace(/\s+/g, " ")
    .replace(/,? }/g, " }");
}

/** `events.publish("type", {…})` and `ctx.emit("type", {…})`, wherever they stand. */
function eventRows(sources) {
  const rows = new Map();
  for (const { path, program } of sources) {
    walk(program, (node) => {
      const [type, payload] = isPublishing(node) ? node.arguments : [];
      if (type?.type !== "Literal") return;
      const row = rows.get(type.value) ?? { keys: new Set(), from: new Set() };
      for (const key of keysOf(payload)) row.keys.add(key);
      row.from.add(path.startsWith("plugins/") ? path.split("/")[1] : "kernel");
      rows.set(type.value, row);
    });
  }
  return [...rows].sort().map(([type, { keys, from }]) => [code(type), [...keys].join(", "), [...from].join(", ")]);
}

function isPublishing({ type, callee }) {
  return type === "CallExpression" && ["publish", "emit"].includes(callee.property?.name);
}

function keysOf(payload) {
  if (payload?.type !== "ObjectExpression") return [];
  return payload.properties.map((property) => (property.type === "Property" ? code(property.key.name) : "…"));
}
