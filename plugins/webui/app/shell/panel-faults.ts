/** What fails in a panel after it was made: errors nobody caught, told by the folder that their code came from. */

/** `tell` hears of every error that came from code below one of the addresses that `known` names. Returns its own undo. */
export function watchFaults(
  known: () => Iterable<readonly [id: string, folder: string]>,
  tell: (id: string, error: Error) => void,
): () => void {
  const judge = (thrown: unknown, file: string) => {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const trace = `${file}\n${error.stack ?? ""}`;
    for (const [id, folder] of known()) if (trace.includes(folder)) tell(id, error);
  };
  const uncaught = ({ error, message, filename }: ErrorEvent) => judge(error ?? message, filename);
  const rejected = ({ reason }: PromiseRejectionEvent) => judge(reason, "");
  addEventListener("error", uncaught);
  addEventListener("unhandledrejection", rejected);
  return () => {
    removeEventListener("error", uncaught);
    removeEventListener("unhandledrejection", rejected);
  };
}
