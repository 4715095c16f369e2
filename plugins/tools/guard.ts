/**
 * What a tool meets in the world is no fault of this plugin: a folder that may not be read, a full disk, a connection that
 * breaks off. It becomes a refusal that the model can read; everything else that is thrown stays a fault.
 */
import { GatewayError, type Tool, type TSchema } from "@chela/sdk";

export function guarded(tool: Tool<TSchema>): Tool<TSchema> {
  return {
    ...tool,
    async run(input, turn) {
      try {
        return await tool.run(input, turn);
      } catch (error) {
        throw refusalOf(error, tool.name) ?? error;
      }
    },
  };
}

const advice: Readonly<Record<string, string>> = {
  EACCES: "the gateway may not do that there",
  EPERM: "the gateway may not do that there",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EMFILE: "too many files are open; try again",
  ENFILE: "too many files are open; try again",
  ENOENT: "it is not there, or went meanwhile",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "it is a folder",
  ELOOP: "a link stands in the way",
  ENAMETOOLONG: "the name is too long",
  E2BIG: "the command line is too long",
};

/** Undefined for what is none: then it is a mistake in the code. */
export function refusalOf(error: unknown, what: string): GatewayError | undefined {
  if (GatewayError.is(error)) return error;
  const { name, code, syscall, message } = (error ?? {}) as NodeJS.ErrnoException;
  if (name === "AbortError" || name === "TimeoutError")
    return new GatewayError("TOOL_ABORTED", 499, `${what} was aborted`, undefined, { cause: error });
  if (typeof code === "string" && typeof syscall === "string") {
    const reason = Object.hasOwn(advice, code) ? advice[code] : `${syscall} failed`;
    return new GatewayError("IO_FAILED", 500, `${what}: ${reason} (${code})`, undefined, { cause: error });
  }
  // A body that ends too early, or is packed wrongly.
  const broken = name === "TypeError" && /terminated|fetch failed|decompress|aborted/i.test(message ?? "");
  const zlib =
    typeof code === "string" && /^(?:Z_|ERR_)/.test(code) && /zlib|gzip|brotli|buffer|header|data/i.test(message);
  if (!broken && !zlib) return undefined;
  return new GatewayError("WEB_BROKEN", 502, `${what}: the reply broke off or is damaged`, undefined, { cause: error });
}
