/**
 * `open`: the WebUI in the browser of this machine, signed in. The token travels in the fragment, which no server is told,
 * and by a file that only this user reads: what is in a command line can be seen by everybody on the machine.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeFileAtomic } from "../disk/files.ts";
import type { Cli, Handler } from "./cli.ts";
import { needGateway } from "./client.ts";

const openers: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};
/** A browser that starts is not waited for; one that cannot be started says so at once. */
const startMs = 2000;

export const open: Handler = async (cli, _words, options) => {
  const { url, token } = await needGateway(cli, "open");
  const address = `${url}/${token === undefined ? "" : `#token=${encodeURIComponent(token)}`}`;
  const opened = options.browser !== false && !cli.flags.json && (await openBrowser(cli, address));
  await cli.out.show({ url: address, opened }, () => {
    if (!opened) cli.out.note("Open this address in a browser. It signs in, so keep it to yourself:");
    cli.out.line(opened ? `Opened ${url}/ in the browser.` : address);
  });
};

async function openBrowser(cli: Cli, address: string): Promise<boolean> {
  const file = join(cli.places.stateDir, "open.html");
  await writeFileAtomic(file, page(address), { durable: false });
  const [program = "", ...args] = openers[process.platform] ?? ["xdg-open"];
  const env = cli.io.env as NodeJS.ProcessEnv;
  return new Promise((resolve) => {
    const child = spawn(program, [...args, pathToFileURL(file).href], { env, stdio: "ignore", detached: true });
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
    setTimeout(() => resolve(true), startMs).unref();
    child.unref();
  });
}

function page(address: string): string {
  const quoted = address.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>Chela</title><meta http-equiv="refresh" content="0;url=${quoted}"><a href="${quoted}">Chela</a>\n`;
}
