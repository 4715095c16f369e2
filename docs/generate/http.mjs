/** `http.md`: every route and stream with its access and its schemas. */
import { code, page, prose, sentence, table } from "./markdown.mjs";
import { fieldRows, typeText } from "./schema.mjs";

const order = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/** Answered by the kernel before any route. */
const probes = [
  ["`GET`", "`/health`", "public", "kernel", "`ok` as soon as the port is open."],
  [
    "`GET`",
    "`/ready`",
    "public",
    "kernel",
    "200 when every critical plugin runs, else 503; says which one is missing.",
  ],
];

export function httpPage({ openapi }) {
  const all = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, facts]) => ({ path, method: method.toUpperCase(), facts })),
  );
  const sorted = all.sort((a, b) => compare(a.path, b.path) || order.indexOf(a.method) - order.indexOf(b.method));
  const routes = sorted.filter(({ facts }) => !facts["x-websocket"]);
  const streams = sorted.filter(({ facts }) => facts["x-websocket"]);
  return page(
    "# HTTP and WebSocket",
    "Every route and stream of the built-in plugins, generated from the schemas they register. The running gateway says the same of itself, installed plugins included, at `GET /openapi.json`.",
    "*Access* is what the caller must be allowed: `public` needs no credential, `admin` includes `write`, `write` includes `read`. Bodies and replies are JSON unless the text says otherwise. A refusal is one line of text, or `{ok: false, error, code}` for a client that sends `Accept: application/json` and wherever there is more to say; below `/v1/` it has OpenAI's shape. The codes are in [errors.md](errors.md).",
    "## Routes",
    table(["method", "path", "access", "plugin", "what"], [...probes, ...routes.map(row)]),
    "## Streams",
    "A stream is a WebSocket at its path. Frames are JSON text.",
    table(
      ["path", "access", "plugin", "what"],
      streams.map((stream) => row(stream).slice(1)),
    ),
    "## Details",
    routes.map(routeDetails),
    streams.map(streamDetails),
  );
}

function row({ method, path, facts }) {
  return [code(method), code(path), facts["x-access"], facts.tags[0], prose(sentence(facts.summary))];
}

function routeDetails({ method, path, facts }) {
  const query = facts.parameters.filter((parameter) => parameter.in === "query");
  const inPath = facts.parameters.filter((parameter) => parameter.in === "path");
  const body = facts.requestBody?.content["application/json"].schema;
  const reply = facts.responses["200"].content?.["application/json"].schema;
  if (query.length + inPath.length === 0 && !body && !reply) return [];
  return [
    `### ${code(`${method} ${path}`)}`,
    prose(sentence(facts.summary)),
    section("Path", inPath.map(parameterRow)),
    section("Query", query.map(parameterRow)),
    body ? schemaSection("Body", body) : [],
    reply ? schemaSection("Reply", reply, "always") : [],
  ];
}

function streamDetails({ path, facts }) {
  const { up, down } = facts["x-websocket"];
  return [
    `### ${code(`WebSocket ${path}`)}`,
    prose(sentence(facts.summary)),
    Object.keys(up).length > 0 ? schemaSection("The client sends", up) : "The client has nothing to say here.",
    Object.keys(down).length > 0 ? schemaSection("The gateway sends", down, "always") : [],
  ];
}

function parameterRow({ name, schema, required }) {
  const given = schema.default !== undefined ? code(JSON.stringify(schema.default)) : required ? "required" : "";
  return [code(name), typeText(schema), given, prose(schema.description)];
}

/** Also for RPC methods. */
export function schemaSection(title, schema, must = "required") {
  const rows = fieldRows(schema, must);
  if (rows.length > 0)
    return [
      prose(schema.description ? sentence(schema.description) : ""),
      section(title, rows, must === "always" ? "there" : "default"),
    ];
  const type = typeText(schema);
  return type === "anything" ? [] : `${title}: ${type}.`;
}

function section(title, rows, third = "default") {
  return rows.length === 0 ? [] : table([title.toLowerCase(), "type", third, "about"], rows);
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
