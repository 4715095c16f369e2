/** `services.md`: the contracts between plugins, from the interfaces in `sdk/services/`. */
import { membersOf } from "./hooks.mjs";
import { code, page, prose, sentence, table } from "./markdown.mjs";
import { docOf } from "./source.mjs";

export function servicesPage({ builtins, sources }) {
  const files = sources.filter(({ path }) => /^sdk\/services\/(?!index)/.test(path));
  const services = files.map(serviceOf).sort((a, b) => (a.id < b.id ? -1 : 1));
  const provider = (id) => builtins.find(({ provides }) => provides.some((one) => one.id === id))?.id;
  const users = (id) =>
    builtins.filter(({ needs }) => needs.some(({ service }) => service === id)).map((one) => one.id);
  return page(
    "# Services",
    'What plugins offer each other: `needs: { store: need(store, "^1.0.0") }` in the manifest, `ctx.use.store` in `setup`. Generated from `sdk/services/`; all names are exported by `@chela/sdk`.',
    table(
      ["service", "version", "provided by", "used by", "what"],
      services.map(({ id, version, doc }) => [
        code(id),
        version,
        provider(id) ?? (doc.includes("provided by the host") ? "the host" : "nobody yet"),
        users(id).join(", "),
        prose(sentence(doc)),
      ]),
    ),
    services.map(details),
  );
}

function serviceOf(source) {
  const found = /defineService<(\w+)>\("([^"]+)", "([^"]+)"\)/.exec(source.text);
  if (!found) throw new Error(`${source.path} defines no service`);
  const [, type, id, version] = found;
  const first = source.comments[0];
  const doc =
    docOf(source, { start: source.program.body[0].start }) || first.value.replace(/^\*/, "").replace(/\s+/g, " ");
  return { source, type, id, version, doc: doc.trim() };
}

function details({ source, type, id }) {
  const declared = source.program.body.map((node) => node.declaration);
  const interfaces = declared.filter((node) => node?.type === "TSInterfaceDeclaration");
  const aliases = declared.filter((node) => node?.type === "TSTypeAliasDeclaration");
  const own = interfaces.filter((node) => node.id.name === type);
  const others = interfaces.filter((node) => node.id.name !== type);
  return [
    `## ${code(id)}`,
    [...own, ...others].map((node) => [
      node.id.name === type ? [] : `### ${code(node.id.name)}`,
      prose(sentence(interfaceDoc(source, node))),
      node.extends?.length > 0
        ? `Everything of ${node.extends.map(({ expression }) => code(expression.name)).join(", ")}, and:`
        : [],
      table(
        ["member", "what"],
        membersOf(source, node.id.name).map(({ signature, doc }) => [code(signature), prose(sentence(doc))]),
      ),
    ]),
    aliases.length === 0
      ? []
      : table(
          ["type", "is", "what"],
          aliases.map((node) => aliasRow(source, node)),
        ),
  ];
}

function aliasRow(source, node) {
  const text = source.text.slice(node.typeAnnotation.start, node.typeAnnotation.end);
  return [
    code(node.id.name),
    code(text.replaceAll("readonly ", "").replace(/^\s*\|/, "")),
    prose(sentence(interfaceDoc(source, node))),
  ];
}

/** The comment stands before `export`. */
function interfaceDoc(source, node) {
  const exported = source.program.body.find((statement) => statement.declaration === node);
  return docOf(source, exported ?? node);
}
