/** What an upload is refused with, whichever way its bytes come. */
import { GatewayError, messageOf } from "@chela/sdk";

export function tooLarge(what: string): GatewayError {
  return new GatewayError("UPLOAD_TOO_LARGE", 413, `the upload is refused: ${what}`);
}

export function gone(): GatewayError {
  return new GatewayError("CLIENT_GONE", 499, "the client left before its upload was complete");
}

export function notStored(error: unknown): GatewayError {
  const message = `the upload cannot be stored: ${messageOf(error)}`;
  return new GatewayError("UPLOAD_STORE", 507, message, undefined, { cause: error });
}
