/**
 * Dotted paths: `gateway.port`, `a.b.0.c`, `a["x.y"]` for keys with dots. Leading, trailing and double dots are
 * tolerated and a last segment `enable` means `enabled`, as ClawGo has it. No path reaches a prototype.
 */
import { configPath as formatPath, GatewayError, isObject } from "@chela/sdk";
import { assertKey, maxDepth, type PlainObject } from "./values.ts";

export { formatPath };

export type ConfigPath = readonly string[];

const maxPathLength = 1024;
const thePath = () => "the path";
const quoted = /\[("(?:[^"\\]|\\.)*")\]/y;
const bare = /\[([^\]"']+)\]/y;
const word = /[^.[]+/y;

/** Throws `CONFIG_PATH` for what is no path, `CONFIG_KEY` for one through a prototype. */
export function parsePath(text: string): string[] {
  if (text.length > maxPathLength) throw badPath(`${text.slice(0, 40)}…`, `is longer than ${maxPathLength} characters`);
  const path: string[] = [];
  let lastIsWord = false;
  for (let at = 0; at < text.length; ) {
    if (text[at] === ".") {
      at += 1;
      continue;
    }
    const segment = readSegment(text, at);
    path.push(segment.name);
    lastIsWord = segment.isWord;
    at = segment.end;
  }
  if (path.length === 0) throw badPath(text, "names no key; write one like gateway.port");
  if (path.length > maxDepth) throw badPath(text, `has more than ${maxDepth} segments`);
  if (lastIsWord && path.at(-1) === "enable") path[path.length - 1] = "enabled";
  for (const key of path) assertKey(key, thePath);
  return path;
}

function readSegment(text: string, at: number): { name: string; end: number; isWord: boolean } {
  for (const pattern of [quoted, bare, word]) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) continue;
    const end = at + match[0].length;
    if (pattern === word) return { name: match[0], end, isWord: true };
    return { name: pattern === quoted ? unquote(match[1] as string, text) : (match[1] as string), end, isWord: false };
  }
  throw badPath(text, `has a stray "[" at character ${at + 1}; a key with dots is written a["x.y"]`);
}

function unquote(literal: string, text: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    throw badPath(text, `holds ${literal}, which is not a JSON string`);
  }
}

/** Undefined where nothing is; own properties only. */
export function getAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value)) value = isIndex(key) ? value[Number(key)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/** Sets in place, making objects on the way; undefined removes. Throws `CONFIG_PATH` where a scalar stands in the way. */
export function setAt(root: PlainObject, path: ConfigPath, value: unknown): void {
  let holder: unknown = root;
  for (const [depth, key] of path.slice(0, -1).entries()) {
    let next = getAt(holder, [key]);
    if (next === undefined || next === null) {
      if (value === undefined) return;
      next = {};
      put(holder, key, next, path);
    }
    if (typeof next !== "object") {
      if (value === undefined) return;
      throw badPath(
        formatPath(path),
        `leads through ${formatPath(path.slice(0, depth + 1))}, which holds a ${typeof next}`,
      );
    }
    holder = next;
  }
  put(holder, path.at(-1) as string, value, path);
}

function put(holder: unknown, key: string, value: unknown, path: ConfigPath): void {
  assertKey(key, thePath);
  if (Array.isArray(holder)) putItem(holder, key, value, path);
  else if (value === undefined) delete (holder as PlainObject)[key];
  else (holder as PlainObject)[key] = value;
}

function putItem(list: unknown[], key: string, value: unknown, path: ConfigPath): void {
  const index = isIndex(key) ? Number(key) : -1;
  if (value === undefined) {
    if (index >= 0 && index < list.length) list.splice(index, 1);
  } else if (index >= 0 && index <= list.length) list[index] = value;
  else throw badPath(formatPath(path), `needs an index from 0 to ${list.length} where it has "${key}"`);
}

function isIndex(key: string): boolean {
  return /^(?:0|[1-9]\d{0,8})$/.test(key);
}

/** True when `path` is `prefix` or below it; `*` in the prefix stands for any one key. */
export function startsWith(path: ConfigPath, prefix: ConfigPath): boolean {
  return prefix.length <= path.length && prefix.every((key, index) => key === "*" || key === path[index]);
}

function badPath(text: string, why: string): GatewayError {
  return new GatewayError("CONFIG_PATH", 400, `the path ${JSON.stringify(text)} ${why}`);
}
