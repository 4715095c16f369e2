/** `rpc.md`: every RPC method, and the tools of built-in plugins. */
import { schemaSection } from "./http.mjs";
import { code, page, prose, sentence, table } from "./markdown.mjs";
import { fieldRows } from "./schema.mjs";

export function rpcPage({ openapi }) {
  const methods = [...openapi["x-chela-methods"]].sort(byName);
  const tools = [...openapi["x-chela-tools"]].sort(byName);
  return page(
    "# RPC methods",
    "Reached by `POST /api/call` with `{method, params}`, which answers `{ok: true, result}` or `{ok: false, error: {code, message, details?}}`, and by `chela call METHOD [JSON]`. The access is the method's own.",
    table(["method", "access", "plugin", "what"], methods.map(row)),
    "## Details",
    methods.map(details),
    tools.length === 0 ? [] : ["## Tools", table(["tool", "access", "risk", "plugin", "what"], tools.map(toolRow))],
  );
}

function row({ name, access, plugin, about }) {
  return [code(name), access, plugin, prose(sentence(about))];
}

function toolRow({ name, access, risk, plugin, about }) {
  return [code(name), access, risk, plugin, prose(sentence(about))];
}

function details({ name, about, params, result }) {
  const takes = fieldRows(params).length > 0;
  const gives = schemaSection("Result", result, "always");
  if (!takes && gives.length === 0) return [];
  return [`### ${code(name)}`, prose(sentence(about)), takes ? schemaSection("Params", params) : [], gives];
}

function byName(a, b) {
  return a.name < b.name ? -1 : 1;
}
