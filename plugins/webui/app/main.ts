/** Where the page begins: the token leaves the address first, then the words come, then the frame. */
import { session, takeToken } from "./client/session.ts";
import { languages } from "./i18n/locale.ts";
import { applyTheme } from "./shell/theme.ts";
import "./shell/navigation.ts";
import "./parts/toast.ts";
import { toastError } from "./parts/toast.ts";

async function start(): Promise<void> {
  const token = takeToken();
  applyTheme();
  const known = token === undefined ? untilKnown() : session.signIn(token);
  // A token that is refused is told once there is something to tell it with.
  known.catch(() => undefined);
  await languages.load("shell");
  languages.announce();
  await import("./shell/app.ts");
  await known.catch(toastError);
  if (session.facts === undefined) await untilKnown();
}

/** The gateway may be starting at this very moment. */
async function untilKnown(): Promise<void> {
  for (let pause = 250; session.facts === undefined; pause = Math.min(8000, pause * 2)) {
    await session.refresh().catch(() => new Promise((resume) => setTimeout(resume, pause)));
  }
}

await start();
