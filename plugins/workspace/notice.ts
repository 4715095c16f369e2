/** Tells that documents or notes have changed: many changes at a time are one event. */
import { allDocuments } from "./documents/names.ts";
import { memoryFolder } from "./paths.ts";

const noticeMs = 500;
const mostPaths = 100;

/** Takes a path below the workspace; absent: all may have changed. Nothing is told once `signal` has aborted. */
export function noticeOf(emit: (paths: readonly string[]) => void, signal: AbortSignal): (path?: string) => void {
  const paths = new Set<string>();
  let all = false;
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    timer = undefined;
    emit(all || paths.size > mostPaths ? [] : [...paths]);
    paths.clear();
    all = false;
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  return (path) => {
    if (signal.aborted || (path !== undefined && !isListed(path))) return;
    if (path === undefined) all = true;
    else if (paths.size <= mostPaths) paths.add(path);
    timer ??= setTimeout(tell, noticeMs).unref();
  };
}

function isListed(path: string): boolean {
  return (
    (allDocuments as readonly string[]).includes(path) || (path.startsWith(`${memoryFolder}/`) && path.endsWith(".md"))
  );
}
