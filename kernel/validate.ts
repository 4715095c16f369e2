/**
 * The door to ajv. Validators compile on first use, in one instance per plugin instance (a shared one would keep every
 * schema for ever). Defaults are filled in; unknown keys are dropped where a schema closes its objects.
 */
import { GatewayError, type TSchema } from "@chela/sdk";
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
  readonly #compiled = new WeakMap<TSchema, ValidateFunction>();

  /** The valid value, or a GatewayError `INVALID` 400 that names the first problems. `what` starts the sentence. */
  async check(schema: TSchema, value: unknown, what: string, coerce: Coerce = "json"): Promise<unknown> {
    const validate = this.#compiled.get(schema) ?? (await this.#compile(schema, coerce));
    if (validate(value)) return value;
    const problems = describe(validate.errors ?? []);
    throw new GatewayError("INVALID", 400, `${what}: ${sentence(problems)}`);
  }

  async #compile(schema: TSchema, coerce: Coerce): Promise<ValidateFunction> {
    let ajv = this.#ajv.get(coerce);
    if (!ajv) {
      ajv = createAjv({ coerceTypes: coerce === "query" });
      this.#ajv.set(coerce, ajv);
    }
    const validate = (await ajv).compile(schema);
    this.#compiled.set(schema, validate);
    return validate;
  }
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

/** A union of constants fails once and more per constant, and once as a whole: one sentence that lists them says the same. */
function withChoices(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  let told = errors;
  for (const union of errors.filter(({ keyword }) => keyword === "anyOf")) {
    const inside = errors.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/`));
    const branchOf = ({ schemaPath }: ErrorObject) => schemaPath.slice(union.schemaPath.length + 1).split("/")[0];
    const constants = inside.filter(
      ({ keyword, instancePath }) => keyword === "const" && instancePath === union.instancePath,
    );
    if (constants.length === 0 || new Set(inside.map(branchOf)).size !== constants.length) continue;
    const allowedValues = constants.map(({ params }) => params.allowedValue as unknown);
    told = told.flatMap((error) => {
      if (error === union) return [{ ...union, keyword: "enum", params: { allowedValues } }];
      return inside.includes(error) ? [] : [error];
    });
  }
  return told;
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
