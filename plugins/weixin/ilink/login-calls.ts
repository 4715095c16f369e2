/** The two calls of a login: a QR code to show, and what became of it. */
import { cutText, GatewayError } from "@chela/sdk";
import { type Answer, type Client, withoutSecrets } from "./client.ts";

export interface QrCode {
  /** What its state is asked with; who holds it gets the account. */
  readonly key: string;
  /** What is shown as a QR code. */
  readonly content: string;
}

export interface LoginState {
  /** In Tencent's words: `wait`, `scaned`, `confirmed`; what it does not say is `wait`. */
  readonly status: string;
  readonly botId: string;
  readonly token: string;
  readonly userId: string;
  readonly baseUrl: string;
  readonly redirectHost: string;
}

/** Where and until when. */
export interface Place {
  readonly base: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** More does not fit into a QR code of this kind. */
const maxQrBytes = 2300;
const qrPath = "/ilink/bot/get_bot_qrcode?bot_type=3";

/** `tokens`: those stored here, so that the server knows a binding that is there already. */
export async function fetchQrCode(client: Client, place: Place, tokens: readonly string[]): Promise<QrCode> {
  const request = { ...place, path: qrPath, secrets: tokens };
  const answer = await client({ ...request, body: { local_token_list: tokens } }).catch((error: unknown) => {
    // Servers of before 2.3.1 know the GET alone.
    if (GatewayError.is(error) && error.code === "ILINK_ABSENT") return client(request);
    throw error;
  });
  const key = textIn(answer, "qrcode", 512);
  if (key === "") throw new GatewayError("ILINK_UNREADABLE", 502, "iLink answered without a QR code");
  const content = textIn(answer, "qrcode_img_content", maxQrBytes);
  return { key, content: content === "" || Buffer.byteLength(content) > maxQrBytes ? key : content };
}

/** Held by the server until something happens. `code`: the number that the phone shows, or empty. */
export async function fetchLoginState(
  client: Client,
  place: Place,
  { key, content }: QrCode,
  code: string,
): Promise<LoginState> {
  const query = `qrcode=${encodeURIComponent(key)}${code === "" ? "" : `&verify_code=${encodeURIComponent(code)}`}`;
  const secrets = [content, key, code];
  const answer = await client({ ...place, path: `/ilink/bot/get_qrcode_status?${query}`, secrets });
  const token = textIn(answer, "bot_token", 4096);
  const said = withoutSecrets(textIn(answer, "status", 1000).toLowerCase(), [...secrets, token]);
  return {
    status: cutText(said, 64) || "wait",
    botId: textIn(answer, "ilink_bot_id", 256),
    token,
    userId: textIn(answer, "ilink_user_id", 256),
    baseUrl: textIn(answer, "baseurl", 2048),
    redirectHost: textIn(answer, "redirect_host", 2048),
  };
}

/** Empty for what is missing, no text, or longer than it can be. */
function textIn(answer: Answer, name: string, maxLength: number): string {
  const value = answer[name];
  return typeof value === "string" && value.length <= maxLength ? value.trim() : "";
}
