/** What generateContent refuses, in its words. The first complaint is the answer; undefined means the request is good. */
import { type Body, listOf, unknownKeys } from "../vendor/server.ts";

const fields = [
  "contents",
  "systemInstruction",
  "tools",
  "toolConfig",
  "generationConfig",
  "safetySettings",
  "cachedContent",
  "labels",
];
const configFields = [
  "temperature",
  "topP",
  "topK",
  "candidateCount",
  "maxOutputTokens",
  "stopSequences",
  "seed",
  "presencePenalty",
  "frequencyPenalty",
  "responseMimeType",
  "responseSchema",
  "responseJsonSchema",
  "thinkingConfig",
  "responseModalities",
];
const schemaFields = [
  "type",
  "format",
  "title",
  "description",
  "nullable",
  "enum",
  "maxItems",
  "minItems",
  "properties",
  "required",
  "minProperties",
  "maxProperties",
  "minLength",
  "maxLength",
  "pattern",
  "example",
  "anyOf",
  "propertyOrdering",
  "default",
  "items",
  "minimum",
  "maximum",
];
const dataFields = [
  "text",
  "inlineData",
  "fileData",
  "functionCall",
  "functionResponse",
  "executableCode",
  "codeExecutionResult",
];
const skip = "skip_thought_signature_validator";

export function complaint(body: Body, model: string, signatures: ReadonlySet<string>): string | undefined {
  return (
    unknown(body, fields, "") ??
    unknown(body.generationConfig, configFields, "generation_config") ??
    thinking(body.generationConfig as Body | undefined, model) ??
    declarations(body) ??
    conversation(body, model, signatures)
  );
}

function unknown(value: unknown, known: readonly string[], at: string): string | undefined {
  const [name] = unknownKeys(value, known);
  return name === undefined
    ? undefined
    : `Invalid JSON payload received. Unknown name "${name}"${at === "" ? "" : ` at '${at}'`}: Cannot find field.`;
}

function thinking({ thinkingConfig: config }: Body = {}, model: string): string | undefined {
  if (config === undefined) return undefined;
  if (/gemini-(1|2\.0)/.test(model)) return "Unable to submit request because thinking is not supported by this model.";
  const both = (config as Body).thinkingBudget !== undefined && (config as Body).thinkingLevel !== undefined;
  if (both) return "You can only set only one of thinking budget and thinking level.";
  return (config as Body).thinkingLevel !== undefined && /gemini-2/.test(model)
    ? "Thinking level is not supported for this model."
    : undefined;
}

function declarations({ tools }: Body): string | undefined {
  for (const { name, parameters, ...rest } of listOf(tools).flatMap((tool) => listOf(tool.functionDeclarations))) {
    const wrong = unknown(
      rest,
      ["description", "response", "parametersJsonSchema"],
      "tools[0].function_declarations[0]",
    );
    if (wrong) return wrong;
    if (!/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(String(name))) return `Invalid function name: ${name}`;
    const bad = parameters === undefined ? undefined : schema(parameters as Body, "parameters");
    if (bad) return bad;
  }
  return undefined;
}

/** Exported: the subset is also what a response schema may use. */
export function schema(one: Body, at: string): string | undefined {
  const wrong = unknown(one, schemaFields, `tools[0].function_declarations[0].${at}`);
  if (wrong) return wrong;
  const branches = listOf(one.anyOf);
  if (branches.length > 0)
    return branches.map((branch, index) => schema(branch, `${at}.any_of[${index}]`)).find(Boolean);
  if (typeof one.type !== "string") return `${at}: schema didn't specify the schema type field`;
  if (one.enum !== undefined && one.type !== "string") return `${at}.enum: only allowed for STRING type`;
  if (one.enum !== undefined && !listOf(one.enum).every((value: unknown) => typeof value === "string" && value !== ""))
    return `${at}.enum: cannot be empty`;
  if (one.type === "array" && one.items === undefined) return `${at}.items: missing field.`;
  if (
    one.format !== undefined &&
    !["enum", "date-time", "float", "double", "int32", "int64"].includes(String(one.format))
  )
    return `${at}: only 'enum' and 'date-time' are supported for STRING type`;
  const properties = (one.properties ?? {}) as Readonly<Record<string, Body>>;
  const lost = listOf(one.required).find((name: unknown) => !(String(name) in properties));
  if (lost !== undefined) return `${at}.required[0]: property is not defined`;
  const below = Object.entries(properties).map(([name, value]) => schema(value, `${at}.properties[${name}]`));
  return [...below, one.items === undefined ? undefined : schema(one.items as Body, `${at}.items`)].find(Boolean);
}

function conversation(
  { contents, systemInstruction }: Body,
  model: string,
  signatures: ReadonlySet<string>,
): string | undefined {
  const turns = listOf(contents);
  if (turns.length === 0) return "* GenerateContentRequest.contents: contents is not specified";
  if (systemInstruction !== undefined && listOf((systemInstruction as Body).parts).length === 0)
    return "system instruction is empty";
  if (turns.at(-1)?.role !== "user") return "Please ensure that single turn requests end with a user role";
  let open: readonly unknown[] = [];
  const current = turns.findLastIndex(
    (turn) => turn.role === "user" && !listOf(turn.parts).some((part) => part.functionResponse),
  );
  for (const [index, { role, parts }] of turns.entries()) {
    if (role !== "user" && role !== "model") return "Please use a valid role: user, model.";
    if (turns[index - 1]?.role === role)
      return "Please ensure that multiturn requests alternate between user and model.";
    const wrong =
      listOf(parts).map(partComplaint).find(Boolean) ??
      (listOf(parts).length === 0 ? "parts must not be empty" : undefined);
    if (wrong) return `contents[${index}]: ${wrong}`;
    const results = listOf(parts).flatMap((part) =>
      part.functionResponse ? [(part.functionResponse as Body).name] : [],
    );
    if (results.length !== open.length || results.some((name, at) => name !== open[at]))
      return "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.";
    const calls = listOf(parts).filter((part) => part.functionCall);
    const bad = index > current && !/gemini-[12]/.test(model) ? unsigned(calls, signatures, index) : undefined;
    if (bad) return bad;
    open = calls.map((part) => (part.functionCall as Body).name);
  }
  return undefined;
}

function unsigned(calls: readonly Body[], signatures: ReadonlySet<string>, index: number): string | undefined {
  const [first] = calls;
  if (!first) return undefined;
  const signature = first.thoughtSignature;
  if (signature === undefined)
    return `Function call is missing a thought_signature in functionCall parts. Function call \`${(first.functionCall as Body).name}\`, position ${index}.`;
  return signature === skip || signatures.has(String(signature)) ? undefined : "Corrupted thought signature.";
}

function partComplaint(part: Body): string | undefined {
  const data = dataFields.filter((key) => part[key] !== undefined);
  if (data.length !== 1) return "required oneof field 'data' must have one initialized field";
  const wrong = unknown(part, [...dataFields, "thought", "thoughtSignature"], "contents[0].parts[0]");
  if (wrong) return wrong;
  const { mimeType, data: bytes } = (part.inlineData ?? {}) as Body;
  if (part.inlineData && (typeof mimeType !== "string" || !/^[A-Za-z0-9+/]+=*$/.test(String(bytes))))
    return "Base64 decoding failed";
  const called = part.functionCall as Body | undefined;
  if (called && !/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/.test(String(called.name)))
    return `Invalid function name: ${called.name}`;
  const { response } = (part.functionResponse ?? {}) as Body;
  return part.functionResponse && (typeof response !== "object" || Array.isArray(response))
    ? "response must be a Struct"
    : undefined;
}
