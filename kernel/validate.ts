/**
 * The door to ajv. Validators compile on first use, in one instance per plugin instance (a shared one would keep every
 * schema for ever). Defaults are filled in; unknown keys are dropped where a schema closes its objects.
 */
import { GatewayError, messageOf, type TSchema } from "@chela/sdk";
import type { Ajv, ErrorObject, Options, ValidateFunction } from "ajv";

type Coerce = "query" | "json";

export interface Problem {
  /** Dotted, empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** Compiles the schemas of one owner, lazily. */
export class Validators {
  readonly #ajv = new Map<Coerce, Promise<Ajv>>();
  #compiled = new WeakMap<TSchema, ValidateFunction>();

  /**
   * The valid value, at once where the schema is compiled, else as a promise. Throws `INVALID` 400 that names the first problems;
   * `what` starts the sentence.
   */
  check(schema: TSchema, value: unknown, what: string, coerce: Coerce = "json"): unknown {
    const validate = this.#compiled.get(schema);
    if (validate) return valid(validate, value, what);
    return this.#compile(schema, what, coerce).then((compiled) => valid(compiled, value, what));
  }

  /** Begins anew: an ajv keeps all it ever compiled, also what it is told to remove. What is still used is compiled again. */
  reset(): void {
    this.#ajv.clear();
    this.#compiled = new WeakMap();
  }

  async #compile(schema: TSchema, what: string, coerce: Coerce): Promise<ValidateFunction> {
    let ajv = this.#ajv.get(coerce);
    if (!ajv) {
      ajv = createAjv({ coerceTypes: coerce === "query" });
      this.#ajv.set(coerce, ajv);
    }
    try {
      const validate = (await ajv).compile(schema);
      this.#compiled.set(schema, validate);
      return validate;
    } catch (error) {
      throw new GatewayError("SCHEMA_UNUSABLE", 500, `${what}: its schema cannot be used: ${messageOf(error)}`);
    }
  }
}

function valid(validate: ValidateFunction, value: unknown, what: string): unknown {
  if (validate(value)) return value;
  throw new GatewayError("INVALID", 400, `${what}: ${sentence(describe(validate.errors ?? []))}`);
}

/** Validates a config section in place, filling defaults; the rows read after the section's path. */
export async function sectionProblems(schema: unknown, value: unknown): Promise<readonly Problem[]> {
  return problemsOf(await compileSection(schema), value);
}

/** The same for a host that lives on: an owner's schema is compiled once, until the owner comes with another one. */
export function sectionValidator(): (owner: string, schema: unknown, value: unknown) => Promise<readonly Problem[]> {
  const compiled = new Map<string, { schema: unknown; validate: ValidateFunction }>();
  return async (owner, schema, value) => {
    let known = compiled.get(owner);
    if (!known || known.schema !== schema) {
      known = { schema, validate: await compileSection(schema) };
      compiled.set(owner, known);
    }
    return problemsOf(known.validate, value);
  };
}

async function compileSection(schema: unknown): Promise<ValidateFunction> {
  return (await createAjv({ allErrors: true, removeAdditional: false })).compile(schema as TSchema);
}

function problemsOf(validate: ValidateFunction, value: unknown): readonly Problem[] {
  return validate(value) ? [] : describe(validate.errors ?? []);
}

async function createAjv(options: Options): Promise<Ajv> {
  // By way of `default`: the names of a CommonJS module do not survive being bundled.
  const [{ default: module }, formats] = await Promise.all([import("ajv"), import("ajv-formats")]);
  const ajv = new module.Ajv({
    strict: false,
    meta: false,
    validateSchema: false,
    useDefaults: true,
    removeAdditional: true,
    logger: false,
    ...options,
  });
  formats.default.default(ajv);
  ajv.addKeyword("secret");
  return ajv;
}

function describe(errors: readonly ErrorObject[]): readonly Problem[] {
  const problems: Problem[] = [];
  for (const error of withChoices(errors).slice(0, 20)) {
    const base = error.instancePath.slice(1).split("/").map(unescapePointer).filter(Boolean).join(".");
    const missing = error.keyword === "required" ? String(error.params.missingProperty) : "";
    const path = missing ? [base, missing].filter(Boolean).join(".") : base;
    problems.push({ path, message: missing ? "must be given" : wording(error) });
  }
  return problems;
}

/** A union fails once and more per branch, and once as a whole: what the client meant, or what is allowed, says the same. */
function withChoices(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let told = errors;
  for (const union of errors.filter(({ keyword }) => keyword === "anyOf")) {
    const inside = errors.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/`));
    const summary = summaryOf(union, inside);
    if (!summary) continue;
    told = told.flatMap((error) => (error === union ? summary : inside.includes(error) ? [] : [error]));
  }
  return told;
}

function summaryOf(union: ErrorObject, inside: readonly ErrorObject[]): readonly ErrorObject[] | undefined {
  const branchOf = ({ schemaPath }: ErrorObject) => schemaPath.slice(union.schemaPath.length + 1).split("/")[0];
  const branches = new Set(inside.map(branchOf));
  const whole = inside.filter(({ instancePath }) => instancePath === union.instancePath);
  const constants = whole.filter(({ keyword }) => keyword === "const");
  if (constants.length > 0 && branches.size === constants.length) {
    const allowedValues = constants.map(({ params }) => params.allowedValue as unknown);
    return [{ ...union, keyword: "enum", params: { allowedValues } }];
  }
  const types = whole.filter(({ keyword }) => keyword === "type");
  if (types.length === branches.size) {
    return [{ ...union, keyword: "type", message: `must be ${types.map(({ params }) => params.type).join(" or ")}` }];
  }
  const other = new Set(types.map(branchOf));
  const [meant, ...more] = [...branches].filter((branch) => !other.has(branch));
  return more.length > 0 ? undefined : inside.filter((error) => branchOf(error) === meant);
}

function wording(error: ErrorObject): string {
  if (error.keyword === "enum") return `must be one of ${(error.params.allowedValues as unknown[]).join(", ")}`;
  if (error.keyword === "const") return `must be ${JSON.stringify(error.params.allowedValue)}`;
  if (error.keyword === "additionalProperties") return `must not have the key "${error.params.additionalProperty}"`;
  return error.message ?? "must be valid";
}

function unescapePointer(segment: string): string {
  return segment.replaceAll("~1", "/").replaceAll("~0", "~");
}

function sentence(problems: readonly Problem[]): string {
  const shown = problems.slice(0, 5).map(({ path, message }) => (path ? `${path} ${message}` : message));
  return shown.join("; ") || "not valid";
}
