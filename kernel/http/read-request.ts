/** Reads what a request carries: query, JSON body or uploaded files, bounded and validated before the handler sees it. */
import type { IncomingMessage } from "node:http";
import type { GatewaySettings } from "../config/gateway-schema.ts";
import type { LiveRoute } from "../routes.ts";
import { hasBody, readJson } from "./body.ts";
import { queryObject, type RequestView } from "./request-view.ts";
import type { UploadPlaces } from "./upload-places.ts";

export interface ReadRules {
  readonly limits: GatewaySettings["limits"];
  readonly uploadDir: string;
  readonly uploads: UploadPlaces;
  /** Tells a client that waits with its body to send it. */
  readonly invite: () => void;
}

/** Bytes of a body that nobody vouches for. */
const strangerBytes = 65_536;
const multipart = /^multipart\/form-data/i;
const json = /^application\/(.+\+)?json\b/i;
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
  const read = route.upload && (await uploadReader(req, route.upload.raw ?? false));
  if (route.upload && read) {
    const place = { tempDir: rules.uploadDir, signal: view.signal };
    const leave = rules.uploads.enter(view.identity);
    const options = { ...route.upload, maxFields, ...place, ...timeRules(view, rules) };
    const upload = await read(req, options).finally(leave);
    view.body = upload.fields;
    view.files = upload.files;
    return upload.discard;
  }
  const body = hasBody(req) ? await readJson(req, bodyRules(view, rules, route.limit)) : undefined;
  const validated = route.body && route.method !== "GET";
  view.body = validated && route.body ? await owner.validators.check(route.body, body ?? {}, "body") : body;
  return undefined;
}

/** What reads this body into files; undefined for one that is JSON. */
async function uploadReader(req: IncomingMessage, raw: boolean) {
  const type = req.headers["content-type"] ?? "";
  if (multipart.test(type)) return (await import("./upload.ts")).readUpload;
  if (raw && hasBody(req) && !json.test(type)) return (await import("./raw-upload.ts")).readRawUpload;
  return undefined;
}

function bodyRules(view: RequestView, rules: ReadRules, routeLimit: number | undefined) {
  const stranger = view.identity.kind === "anonymous";
  const limit = stranger ? strangerBytes : (routeLimit ?? rules.limits.bodyBytes);
  return { limit, cancellation: view.cancellation, ...timeRules(view, rules) };
}

/** Any body may not fall silent; a stranger's has to be complete in time as well. */
function timeRules({ identity }: RequestView, { limits, invite }: ReadRules) {
  const totalMs = identity.kind === "anonymous" ? limits.headersMs : undefined;
  return { stallMs: limits.bodyStallMs, totalMs, invite };
}
