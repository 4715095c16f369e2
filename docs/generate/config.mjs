/** `config.md`: every key of the config with its type, its default, its owner and what a change of it takes. */
import { code, page, prose, table } from "./markdown.mjs";
import { fields, pathText, typeText } from "./schema.mjs";
import { loadSource } from "./source.mjs";

const effects = {
  hot: "live",
  "restart-plugin": "restarts the plugin",
  "restart-gateway": "new listener",
  none: "no effect",
};

export async function configPage({ root, builtins, configSchema }) {
  const { planChanges } = await loadSource(root, "kernel/config/classify.ts");
  const { kernelSections } = await loadSource(root, "kernel/config/sections.ts");
  const plugins = builtins.map(({ id, section, schema, hot }) => ({ owner: id, path: section, schema, hot }));
  const sections = [...kernelSections, ...plugins];
  // The schema of `plugins` lets a plugin's own config be anything; what a change of it takes, its manifest says.
  const isOpen = (path) => path.join(".") === "plugins.entries.<name>.config";
  const classOf = (path) =>
    isOpen(path)
      ? "the plugin decides"
      : effects[planChanges({ merged: {} }, { merged: changed(path) }, sections)[0]?.class ?? "none"];
  const silent = plugins.filter(({ path }) => path.startsWith("plugins.entries."));
  const own = new Set(silent.map(({ owner }) => owner));
  const all = fields(configSchema).filter(({ path }) => !(path[1] === "entries" && own.has(path[2])));
  const rows = all.map(({ path, schema }) => ({ path, schema, effect: classOf(path) }));
  const shown = [...kernelSections, ...plugins.filter(({ path }) => !path.startsWith("plugins.entries."))];
  return page(
    "# Configuration keys",
    "Every key of `config.json` that the kernel and the built-in plugins know, generated from their schemas; `chela config schema` prints the same as JSON Schema, with installed plugins. How the file is read, changed and taken back is in [configuration.md](../configuration.md).",
    "*Live* applies at once. *Restarts the plugin* sets up that one plugin anew, the others notice nothing. *New listener* binds a new port inside the running process. The environment variable of a key is `CHELA_` and its path in upper snake case: `gateway.reload.debounceMs` is `CHELA_GATEWAY_RELOAD_DEBOUNCE_MS`.",
    shown.map((section) => sectionOf(section, rows)),
    "## Other plugins",
    `${silent.map(({ owner }) => code(owner)).join(", ")} have no keys of their own. An installed plugin has its keys below \`plugins.entries.<id>.config\`, unless it names another section; \`chela plugins info ID\` shows it.`,
  );
}

function sectionOf({ owner, path }, rows) {
  const mine = rows.filter((row) => pathText(row.path) === path || pathText(row.path).startsWith(`${path}.`));
  const kernel = owner === "gateway" || owner === "plugins";
  return [
    `## ${code(path)}`,
    kernel ? "Owned by the kernel." : `Owned by the plugin ${code(owner)}.`,
    table(["key", "type", "default", "a change", "about"], mine.map(cells)),
  ];
}

function cells({ path, schema, effect }) {
  const given = schema.default === undefined ? "" : code(short(JSON.stringify(schema.default)));
  return [code(pathText(path)), typeText(schema), given, effect, prose(schema.description)];
}

function short(text) {
  return text.length <= 60 ? text : `${text.slice(0, 56)}…`;
}

/** A config that differs from the defaults in this one key. */
function changed(path) {
  const keys = path.filter((key) => key !== "[]").map((key) => (key === "<name>" ? "name" : key));
  return keys.reduceRight((value, key) => ({ [key]: value }), "another value");
}
