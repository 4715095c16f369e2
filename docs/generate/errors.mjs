/**
 * `errors.md`: every code that a `GatewayError` is made with, found in the syntax of the sources. What comes in as a
 * parameter is looked for where the function is called, one step; of a computed code its fixed part is shown.
 */
import { code, page, prose, table } from "./markdown.mjs";
import { walk } from "./source.mjs";

const codeShape = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;
const unknown = "…";

export function errorsPage({ sources }) {
  const found = new Map();
  for (const row of sources.flatMap((source) => errorsIn(source, sources))) {
    const entry = found.get(row.code) ?? { statuses: new Set(), messages: new Set(), files: new Set() };
    for (const status of row.statuses) entry.statuses.add(status);
    if (row.message !== unknown) entry.messages.add(row.message);
    entry.files.add(row.file);
    found.set(row.code, entry);
  }
  const rows = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(cells);
  return page(
    "# Error codes",
    "Every error that the kernel, the command line and the built-in plugins make, collected from their sources. `…` stands for what is filled in. Where two statuses are given, the text says which; *own* means the status of what failed, such as an upstream.",
    "Over HTTP the code is in the field `code` of a JSON refusal; OpenAI's routes have it in lower case in `error.code`, or OpenAI's own word where there is one.",
    table(["code", "status", "message", "made in"], rows),
  );
}

function cells([name, { statuses, messages, files }]) {
  const status = [...statuses].sort().join(", ");
  return [code(name), status, [...messages].sort().map(prose).join("<br>"), [...files].sort().map(code).join("<br>")];
}

function errorsIn(source, sources) {
  const rows = [];
  walk(source.program, (node, parents) => {
    if (node.type !== "NewExpression" || node.callee.name !== "GatewayError") return;
    const made = { args: node.arguments, place: { source, parents, bound: new Map() } };
    for (const use of usesOf(made, sources)) rows.push(...rowsOf(use));
  });
  return rows;
}

/** The `new` itself, or, when it says something that is a parameter, one for every call of the function around it. */
function usesOf({ args, place }, sources) {
  const around = mentioned(args, place)
    .map((name) => functionWith(place.parents, name))
    .find((found) => found !== undefined);
  const calls = around ? callsOf(around, place.source, sources) : [];
  if (calls.length === 0) return [{ args, place }];
  return calls.map((call) => {
    const bound = new Map(around.params.map((name, index) => [name, { node: call.args[index], place: call.place }]));
    return { args, place: { ...place, bound }, file: call.place.source.path };
  });
}

/** Names that the code and the message are, or have in them. */
function mentioned([codeArg, , messageArg], place) {
  return [codeArg, messageArg].flatMap((argument) => {
    const init = argument?.type === "Identifier" ? declared(place.parents, argument.name)?.init : undefined;
    const node = init ?? argument;
    const pieces = node?.type === "TemplateLiteral" ? node.expressions : [node];
    return pieces
      .map(upperCased)
      .filter((piece) => piece?.type === "Identifier")
      .map(({ name }) => name);
  });
}

/** `x` of `x.toUpperCase()`, else the node itself. */
function upperCased(node) {
  return node?.callee?.property?.name === "toUpperCase" ? node.callee.object : node;
}

function callsOf({ name, exported }, source, sources) {
  const calls = [];
  for (const each of exported ? sources : [source]) {
    if (each !== source && !new RegExp(`import[^;]*\\b${name}\\b[^;]*from`).test(each.text)) continue;
    walk(each.program, (node, parents) => {
      if (node.type === "CallExpression" && node.callee.name === name)
        calls.push({ args: node.arguments, place: { source: each, parents, bound: new Map() } });
    });
  }
  return calls;
}

/** The nearest function around that has a parameter of this name, when it has a name of its own. */
function functionWith(parents, parameter) {
  const index = parents.findLastIndex(({ params }) => params?.some((param) => paramName(param) === parameter));
  if (index === -1) return undefined;
  const found = parents[index];
  const name = found.id?.name ?? parents[index - 1]?.id?.name;
  if (name === undefined) return undefined;
  return { name, params: found.params.map(paramName), exported: parents[index - 1]?.type === "ExportNamedDeclaration" };
}

function paramName(param) {
  return param.name ?? param.left?.name;
}

function rowsOf({ args: [codeArg, statusArg, messageArg], place, file = place.source.path }) {
  const message = textOf(messageArg, place);
  const made = follow(codeArg, place);
  const pairs = pairsOf(made.node, made.place);
  if (pairs.length > 0) return pairs.map((pair) => ({ ...pair, message, file }));
  const status = follow(statusArg, place).node;
  return codesIn(made.node, made.place).map((name) => ({
    code: name,
    statuses: statusesOf(status, name),
    message,
    file,
  }));
}

/** Where a parameter leads: the argument, in the place of the call. */
function follow(node, place) {
  const target = node?.type === "Identifier" ? place.bound.get(node.name) : undefined;
  return target ?? { node, place };
}

/** `const [code, status] = classify(…)`: what that function of the same file returns. */
function pairsOf(node, { source, parents }) {
  const call = node?.type === "Identifier" ? declared(parents, node.name)?.init : undefined;
  if (call?.type !== "CallExpression") return [];
  const rows = [];
  walk(source.program, (each, around) => {
    if (each.type !== "ReturnStatement" || each.argument?.type !== "ArrayExpression") return;
    if (!around.some(({ type, id }) => type === "FunctionDeclaration" && id?.name === call.callee.name)) return;
    const [name, status] = each.argument.elements;
    rows.push(...codesIn(name).map((found) => ({ code: found, statuses: statusesOf(status, found) })));
  });
  return rows;
}

function codesIn(node, place) {
  const init = node?.type === "Identifier" && place ? declared(place.parents, node.name)?.init : undefined;
  if (init?.type === "TemplateLiteral") return codesIn(init, place);
  if (node?.type === "TemplateLiteral") return [textOf(node, place).replace(/^[a-z]+/, (word) => word.toUpperCase())];
  const codes = [];
  walk(node, ({ type, value }) => {
    if (type === "Literal" && typeof value === "string" && codeShape.test(value)) codes.push(value);
  });
  return codes;
}

/** Of `code === "X" ? 504 : 502` the branch that this code takes; `own` where it is computed. */
function statusesOf(node, name) {
  const { test } = node ?? {};
  if (node?.type === "ConditionalExpression" && test.operator === "===" && codesIn(test.right).length === 1) {
    return statusesOf(codesIn(test.right)[0] === name ? node.consequent : node.alternate, name);
  }
  const numbers = [];
  walk(node, ({ type, value }) => {
    if (type === "Literal" && typeof value === "number" && value >= 400 && value < 600) numbers.push(value);
  });
  return numbers.length > 0 ? numbers : ["own"];
}

/** A message with `…` for what is computed. */
function textOf(node, place, depth = 0) {
  if (node === undefined || depth > 5) return unknown;
  const inner = (child) => textOf(child, place, depth + 1);
  switch (node.type) {
    case "Literal":
      return String(node.value);
    case "TemplateLiteral": {
      const texts = node.quasis.map(({ value }) => value.cooked);
      const filled = node.expressions.map(inner);
      return texts.reduce((text, piece, index) => `${text}${filled[index - 1]}${piece}`);
    }
    case "CallExpression":
      return upperCased(node) === node ? unknown : inner(upperCased(node));
    case "BinaryExpression": {
      const [left, right] = [inner(node.left), inner(node.right)];
      if (node.operator === "*") return left === unknown || right === unknown ? unknown : String(left * right);
      return node.operator === "+" && Number.isNaN(Number(left)) && Number.isNaN(Number(right))
        ? `${left}${right}`.replace("……", unknown)
        : unknown;
    }
    case "ConditionalExpression": {
      const texts = [inner(node.consequent), inner(node.alternate)];
      return depth === 0 ? (texts.find((text) => text !== unknown) ?? unknown) : unknown;
    }
    case "Identifier": {
      const target = place.bound.get(node.name);
      if (target) return words(textOf(target.node, target.place, depth + 1));
      const init = declared(place.parents, node.name)?.init;
      return init ? inner(init) : unknown;
    }
    default:
      return unknown;
  }
}

/** A number that each caller chooses says nothing about the error. */
function words(text) {
  return Number.isNaN(Number(text)) ? text : unknown;
}

/** The declaration of a name in the functions around, the nearest first, then in the module. */
function declared(parents, name) {
  for (const scope of [...parents].reverse()) {
    const statements = scope.type === "Program" || scope.type === "BlockStatement" ? scope.body : [];
    for (const statement of statements) {
      const declarations = statement.declarations ?? statement.declaration?.declarations ?? [];
      const found = declarations.find(
        ({ id }) => id.name === name || id.elements?.some((element) => element?.name === name),
      );
      if (found) return found;
    }
  }
  return undefined;
}
