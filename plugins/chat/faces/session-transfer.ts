/** Transcripts out of the gateway and into it: export as a stream, import of what ClawGo, OpenClaw or another Chela wrote. */
import { type Context, GatewayError, Reply, Type } from "@chela/sdk";
import { sessionKey } from "../sessions/session-key.ts";
import type { SessionService } from "../sessions/session-service.ts";

const ExportQuery = Type.Object({
  key: Type.Optional(Type.String({ description: "Key of the session; required" })),
  format: Type.Optional(Type.String({ description: "jsonl (default) or markdown" })),
});
const ImportQuery = Type.Object({
  key: Type.Optional(Type.String({ description: "Session to import into; else the name of each file says it" })),
  dry_run: Type.Optional(Type.String({ description: "1: only tell what would be done" })),
  progress: Type.Optional(Type.String({ description: "1: answer with lines of JSON while it goes on" })),
});

const maxFileBytes = 1024 * 1024 * 1024;
const maxFiles = 2_000;

type Face = Pick<Context, "route" | "emit">;

export function registerTransfer(ctx: Face, sessions: SessionService): void {
  ctx.route({
    method: "GET",
    path: "/api/sessions/export",
    access: "read",
    about: "A session as a transcript: JSONL that the import takes back whole, or Markdown",
    query: ExportQuery,
    handler: async ({ query: { key, format } }) => {
      if (!key) throw new GatewayError("INVALID", 400, "key required");
      const { exportFormat, exportName, exportSession } = await import("../sessions/transcript/export.ts");
      const chosen = exportFormat(format);
      const type = chosen === "markdown" ? "text/markdown; charset=utf-8" : "application/x-ndjson";
      const disposition = `attachment; filename="${exportName(key, chosen)}"`;
      const headers = { "content-type": type, "content-disposition": disposition };
      return new Reply(await exportSession(sessions.table, sessionKey(key), chosen), { headers });
    },
  });
  ctx.route({
    method: "POST",
    path: "/api/sessions/import",
    access: "admin",
    about: "Imports transcripts, as files of a form or as the body; what is there already is not stored again",
    query: ImportQuery,
    upload: { maxFileBytes, maxFiles, raw: true },
    handler: async (request) => {
      const { runImport } = await import("./session-import.ts");
      return runImport(ctx, sessions, request);
    },
  });
}
