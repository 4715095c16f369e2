/** Reads what a request carries: query, JSON body or uploaded files, bounded and validated before the handler sees it. */
import type { IncomingMessage } from "node:http";
import { hasBody, readJson } from "./body.ts";
import type { GatewaySettings } from "./config/gateway-schema.ts";
import { queryObject, type RequestView } from "./request-view.ts";
import type { LiveRoute } from "./routes.ts";

export interface ReadRules {
  readonly limits: GatewaySettings["limits"];
  readonly uploadDir: string;
}

/** Bytes of a body that nobody vouches for. */
const strangerBytes = 65_536;
const multipart = /^multipart\/form-data/i;
const maxFields = 100;

/** Fills `view`. Returns the clean-up of uploaded files, if there were any. */
export async function readRequest(
  req: IncomingMessage,
  search: string,
  { route, owner }: LiveRoute,
  { view, rules }: { readonly view: RequestView; readonly rules: ReadRules },
): Promise<(() => Promise<void>) | undefined> {
  view.query = queryObject(search, route.query);
  if (route.query) view.query = await owner.validators.check(route.query, view.query, "query", "query");
  if (route.upload && multipart.test(req.headers["content-type"] ?? "")) {
    const { readUpload } = await import("./upload.ts");
    const place = { tempDir: rules.uploadDir, signal: view.signal };
    const upload = await readUpload(req, { ...route.upload, maxFields, ...place });
    view.body = upload.fields;
    view.files = upload.files;
    return upload.discard;
  }
  const body = hasBody(req) ? await readJson(req, bodyRules(view, rules.limits, route.limit)) : undefined;
  const validated = route.body && route.method !== "GET";
  view.body = validated && route.body ? await owner.validators.check(route.body, body ?? {}, "body") : body;
  return undefined;
}

function bodyRules(view: RequestView, limits: ReadRules["limits"], routeLimit: number | undefined) {
  const stallMs = limits.bodyStallMs;
  if (view.identity.kind === "anonymous") return { limit: strangerBytes, stallMs, totalMs: limits.headersMs };
  return { limit: routeLimit ?? limits.bodyBytes, stallMs };
}
