/** Sessions on a store of their own, without a gateway around them. */
import { onTestFinished } from "vitest";
import { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { migrations } from "../../../plugins/chat/sessions/tables.ts";
import { openStore } from "../store/kit.ts";

export async function openSessions() {
  const { store } = await openStore();
  await store.migrate("chat", migrations);
  const sessions = new SessionService({ store, log: { warn: () => {} }, alone: (_, work) => work() });
  onTestFinished(() => sessions.close());
  return { store, sessions };
}
