/** Where the page begins: the token leaves the address first, then the words come, then the frame. */
import { ApiError } from "./client/http.ts";
import { forgetToken, forgetWhoLeft, session, takeToken } from "./client/session.ts";
import { languages } from "./i18n/locale.ts";
import { applyTheme } from "./shell/theme.ts";
import "./shell/navigation.ts";
import "./parts/toast.ts";
import { toast } from "./parts/toast.ts";

async function start(): Promise<void> {
  forgetWhoLeft();
  const token = takeToken();
  applyTheme();
  const known = answered(() => (token === undefined ? session.refresh() : session.signIn(token)));
  // A token that is refused is told once there is something to tell it with.
  known.then(forgetToken, forgetToken);
  await languages.load("shell");
  languages.announce();
  await import("./shell/app.ts");
  await known.catch(async (error: Error) => {
    await answered(() => session.refresh()).catch(() => undefined);
    toast(error.message, "warn");
  });
}

/** The gateway may be starting at this very moment: asks until it answers, and throws what it refuses. */
async function answered(ask: () => Promise<void>): Promise<void> {
  for (let pause = 250; ; pause = Math.min(8000, pause * 2)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || (error.code !== "UNREACHABLE" && error.status < 500)) throw error;
    }
    await new Promise((resume) => setTimeout(resume, pause));
  }
}

/** A file dropped where nobody takes it would make the browser leave the page for it. */
function refuseFiles(event: DragEvent): void {
  const takesFiles = event.composedPath()[0] instanceof HTMLInputElement;
  if (event.defaultPrevented || takesFiles || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "none";
}

addEventListener("dragover", refuseFiles);
addEventListener("drop", refuseFiles);
// What the browser kept of a page that was left may be somebody else's by now.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
await start();
