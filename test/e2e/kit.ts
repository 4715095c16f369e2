/** A gateway and a browser for one file of tests; every page is watched: an error in its console fails the test. */
import { randomUUID } from "node:crypto";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import axe from "axe-core";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Download,
  type Locator,
  type Page,
} from "playwright-core";
import { afterAll, beforeAll, expect, inject, onTestFinished } from "vitest";
import { binary } from "../kit/binary.ts";
import { type GatewayOptions, type RunningGateway, ready, spawnGateway } from "../kit/gateway.ts";
import { root } from "../kit/sources.ts";
import { makeTempDir, tempDir } from "../kit/temp.ts";
import { type Key, type Locale, type Say, words } from "./words.ts";

/** Who goes through a flow: `w` says what the page says to them. */
export interface Reader {
  readonly name: string;
  readonly locale: Locale;
  readonly phone: boolean;
  readonly w: Say;
}

/** Flows run for each of them: `describe.each(readers)("keys $name", ({ w, ...look }) => …` and `visit({ ...look })`. */
export const readers: readonly Reader[] = [
  { name: "in English at a desk", locale: "en", phone: false, w: await words("en") },
  { name: "in Chinese on a phone", locale: "zh-CN", phone: true, w: await words("zh-CN") },
];

export interface VisitOptions {
  /** `#/chat/main`. */
  readonly at?: string;
  readonly locale?: Locale;
  readonly phone?: boolean;
  readonly dark?: boolean;
  /** Not signed in. */
  readonly stranger?: boolean;
  /** What the console may say: tests of failures name it. */
  readonly allow?: RegExp;
}

export interface Stage {
  readonly gateway: RunningGateway;
  readonly browser: Browser;
  /** Ends the gateway as a service manager would. */
  stop(): Promise<void>;
  /** Starts it again at the same port. */
  startAgain(): Promise<void>;
  /** Runs an RPC method as the operator; throws its refusal. */
  call<T>(method: string, params?: unknown): Promise<T>;
  /** A fresh browser profile, signed in, on a page of the WebUI. Closed with the test, which fails if the page complained. */
  visit(options?: VisitOptions): Promise<Page>;
}

/** A copy that a build, in another terminal, does not change under an open page. Here, so that it finds its packages. */
function copyOfBinary(): { path: string; remove: () => void } {
  const folder = join(root, "node_modules/.cache", `chela-e2e-${randomUUID()}`);
  cpSync(dirname(binary()), folder, { recursive: true });
  return { path: join(folder, "chela.js"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Call it at the top of a file: one gateway and one browser for all of its tests. */
export function stage(options: Omit<GatewayOptions, "bare" | "stateDir"> = {}): Stage {
  const made: { gateway?: RunningGateway; browser?: Browser } = {};
  const { path: stateDir, remove } = makeTempDir("webui");
  let copy: ReturnType<typeof copyOfBinary> | undefined;
  beforeAll(async () => {
    copy = copyOfBinary();
    made.gateway = spawnGateway({ ...options, stateDir, binary: copy.path });
    [made.browser] = await Promise.all([connectBrowser(), ready(made.gateway)]);
  });
  afterAll(async () => {
    await made.browser?.close();
    made.gateway?.signal("SIGKILL");
    await made.gateway?.ended;
    copy?.remove();
    remove();
  });
  return {
    get gateway() {
      return made.gateway as RunningGateway;
    },
    get browser() {
      return made.browser as Browser;
    },
    stop: async () => {
      made.gateway?.signal("SIGTERM");
      await made.gateway?.ended;
    },
    startAgain: async () => {
      const port = new URL(made.gateway?.url ?? "").port;
      made.gateway = spawnGateway({ ...options, stateDir, binary: copy?.path as string, args: ["--port", port] });
      await ready(made.gateway);
    },
    call: (method, params) => call(made.gateway as RunningGateway, method, params),
    visit: (how = {}) => visit(made.browser as Browser, made.gateway as RunningGateway, how),
  };
}

/** The browser that all files of this run share; its profiles are a page's own. */
async function connectBrowser(): Promise<Browser> {
  const said = await fetch(inject("browserDoor"));
  const text = await said.text();
  if (!said.ok) throw new Error(text);
  return chromium.connect(text);
}

async function call<T>(gateway: RunningGateway, method: string, params: unknown = {}): Promise<T> {
  const response = await gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
  if (error) throw new Error(error.message);
  return result;
}

async function visit(browser: Browser, gateway: RunningGateway, how: VisitOptions): Promise<Page> {
  const context = await browser.newContext(contextOptions(how));
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints = watch(page, how.allow);
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  const query = how.stranger ? "" : `?token=${gateway.token}`;
  await page.goto(`${gateway.url}/${query}${how.at ?? ""}`);
  return page;
}

function contextOptions({ locale = "en", phone, dark }: VisitOptions): BrowserContextOptions {
  return {
    locale,
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 800 },
    ...(phone && { hasTouch: true, isMobile: true, deviceScaleFactor: 2 }),
  };
}

const mostComplaints = 5;

/** Everything the page complains of from now on: errors, refused code, failed scripts. */
function watch(page: Page, allow: RegExp | undefined): string[] {
  const complaints: string[] = [];
  const add = (text: string) => {
    if (!allow?.test(text) && complaints.length < mostComplaints) complaints.push(text.slice(0, 300));
  };
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") add(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => add(`uncaught: ${error.message}`));
  page.on("crash", () => add("the page crashed"));
  return complaints;
}

/** Goes to a page by the navigation, which is a drawer on a phone. */
export async function goTo(page: Page, w: Say, title: Key): Promise<void> {
  const menu = page.getByRole("button", { name: w("app.menu"), exact: true });
  const link = page.getByRole("navigation", { name: w("app.nav") }).getByRole("link", { name: w(title), exact: true });
  await menu.or(link).first().waitFor();
  if (await menu.isVisible()) await menu.click();
  await link.click();
}

/** What the browser has saved; it may run on another machine, as far as the test knows. */
export async function textOf(download: Download): Promise<string> {
  const file = join(tempDir("download"), "file");
  await download.saveAs(file);
  return readFileSync(file, "utf8");
}

/** Whether the page is wider than its window, so that people have to scroll sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
}

/** An open dialog by its heading. What is in it belongs to the element that opened it. */
export function dialog(page: Page, name: string): Locator {
  return page.locator("ui-dialog[open]").filter({ has: page.getByRole("dialog", { name }) });
}

/** Every text and every typed value of the page, those inside of elements too. */
export function wholeText(page: Page): Promise<string> {
  return page.evaluate(() => {
    const read = (root: ParentNode): string =>
      [...root.querySelectorAll("*")]
        .map(
          (element) =>
            `${element.shadowRoot ? read(element.shadowRoot) : ""}${(element as HTMLInputElement).value ?? ""}`,
        )
        .join("") + root.textContent;
    return read(document.documentElement);
  });
}

/** What axe finds wrong on the page, with where; empty when nothing is. */
export async function barriers(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(async () => {
    const inPage = (globalThis as unknown as { axe: typeof axe }).axe;
    return inPage.run({ exclude: [] }, { resultTypes: ["violations"] });
  });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary}`),
  );
}
