/** The project's own TypeScript, parsed: what each file imports, declares and calls. For tests about the code itself. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Program, parseSync, Visitor } from "oxc-parser";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Import {
  readonly specifier: string;
  /** Erased at run time. */
  readonly type: boolean;
  /** `import("x")` in running code. */
  readonly dynamic: boolean;
}

export interface FunctionFact {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

export interface SourceFile {
  /** Relative to the project, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly functions: readonly FunctionFact[];
  /** `process.exit`, `console.log`: every `object.property` that occurs. */
  readonly members: ReadonlySet<string>;
  readonly program: Program;
}

/** Every `.ts` file below the folders. */
export function readSources(folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("node_modules"))
      .map((entry) => readSource(relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/")))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  );
}

/** The file that a relative import means, or undefined for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}

/** `@scope/name/deep` and `name/deep` belong to a package of that name. */
export function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const functions: FunctionFact[] = [];
  const members = new Set<string>();
  const lineOf = lineCounter(text);
  const measure = (node: Measured) => {
    const line = lineOf(node.start);
    const lines = lineOf(node.end) - line + 1;
    functions.push({ name: node.id?.name ?? "function", line, lines });
  };
  const importing = (node: { source: { value?: unknown } | null; importKind?: string; exportKind?: string }) => {
    if (typeof node.source?.value !== "string") return;
    const type = node.importKind === "type" || node.exportKind === "type";
    imports.push({ specifier: node.source.value, type, dynamic: false });
  };
  new Visitor({
    ImportDeclaration: importing,
    ExportNamedDeclaration: importing,
    ExportAllDeclaration: importing,
    TSImportType: (node) => imports.push({ specifier: node.source.value, type: true, dynamic: false }),
    ImportExpression: (node) => {
      const specifier = node.source.type === "Literal" ? String(node.source.value) : "";
      if (specifier !== "") imports.push({ specifier, type: false, dynamic: true });
    },
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
    MemberExpression: (node) => {
      if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
      members.add(`${node.object.name}.${node.property.name}`);
    },
  }).visit(program);
  return { path, text, lines: text.split("\n").length - 1, imports, functions, members, program };
}

interface Measured {
  readonly start: number;
  readonly end: number;
  readonly id?: { readonly name: string } | null;
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
