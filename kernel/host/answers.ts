/**
 * What counts as a tap's answer, per hook. Anything falsy is none, so that `condition && answer` does what it says; what
 * is of another kind is a fault of the tap and decides nothing: a `true` is no permission and an object no reply.
 */
import { GatewayError, type HookName, hookKinds, isObject, Reply } from "@chela/sdk";
import { replyTrouble } from "../http/reply-trouble.ts";

type Judge = (answer: unknown) => boolean;

const isReply: Judge = (answer) => Reply.is(answer) && replyTrouble(answer) === undefined;
const isHead: Judge = (answer) => isObject(answer) && replyTrouble({ body: null, ...answer } as Reply) === undefined;

const judges: Partial<Record<HookName, Judge>> = {
  "auth:identify": (answer) => isObject(answer) && typeof answer.id === "string" && Array.isArray(answer.scopes),
  "auth:authorize": GatewayError.is,
  "ws:upgrade": GatewayError.is,
  "model:before": GatewayError.is,
  "http:request": isReply,
  "http:error": isReply,
  "http:reply": isHead,
  "agent:pick": (answer) => typeof answer === "string",
  "tool:before": (answer) => isObject(answer) && typeof answer.deny === "string",
};

/** The answer that decides, undefined for none. Throws for what is no answer to this hook. */
export function answerOf(hook: HookName, answer: unknown): unknown {
  const kind = hookKinds[hook];
  if (!answer || (kind !== "bail" && kind !== "waterfall")) return undefined;
  if ((judges[hook] ?? isObject)(answer)) return answer;
  throw new TypeError(
    `a tap answered ${hook} with what is no answer to it (${typeof answer}); see HookTaps in the SDK`,
  );
}
