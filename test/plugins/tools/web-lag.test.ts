/** Reading pages never holds the event loop: whatever a page consists of, others are served meanwhile. */
import { Pacer } from "@chela/sdk";
import { expect, it, onTestFinished } from "vitest";
import { createGuardedFetch } from "../../../kernel/net/fetch.ts";
import { fetchTool, parallelFetchTool } from "../../../plugins/tools/web/fetch.ts";
import type { Ctx } from "../../../plugins/tools/world.ts";
import { heldBy } from "../../kit/held.ts";
import { httpServer } from "../../kit/http-server.ts";

const size = 3_000_000;
/** What the machine's other work may add to a round that takes 20 ms of ours. */
const mostMs = 120;

const pieces = [
  ..."<|<a |<!--|<a href=\"|<a href='x|&#|&amp; |<p|</|<pre>|<a href=/x>|<a href=/x>y|<nav>| \n|<svg>|<title>|< |<p>a".split(
    "|",
  ),
  ..."<li>|<td>|<pre>\n|a <br>\n |<pre> \n|<h1>x|<img alt=y>|<a href=//e/x>z</a>|<main>x</main>|<svg></svg>|<!x>|\xa4\xe3".split(
    "|",
  ),
];

async function pages() {
  const server = await httpServer((req, res) => {
    const piece = pieces[Number(req.url?.slice(1))];
    if (piece === undefined) return res.end("<p>what is loaded with the first page is loaded");
    res.setHeader("content-type", piece.startsWith("\xa4") ? "text/html; charset=gbk" : "text/html");
    res.end(Buffer.from(piece.repeat(Math.floor(size / piece.length)), "latin1"));
  });
  const fetch = createGuardedFetch({ trust: () => [server.origin] });
  onTestFinished(() => fetch.close());
  const config = { web: { fetch: { timeout_sec: 120, max_bytes: size } } };
  const parts = { ctx: { fetch, config } as unknown as Ctx, pacer: new Pacer() };
  await fetchTool(parts, { url: `${server.origin}/none`, max_chars: 100 }, signal);
  return { parts, origin: server.origin };
}

const signal = new AbortController().signal;

it("a hostile page of 3 MB holds the loop for no longer than a moment at a time", async () => {
  const { parts, origin } = await pages();
  const held: Record<string, number> = {};
  for (const [index, piece] of pieces.entries()) {
    const work = fetchTool(parts, { url: `${origin}/${index}`, max_chars: 200_000 }, signal);
    held[piece] = await heldBy(work);
  }
  expect(Object.entries(held).filter(([, ms]) => ms > mostMs)).toEqual([]);
}, 180_000);

it("eight of them at once hold it no longer than one", async () => {
  const { parts, origin } = await pages();
  const urls = [6, 11, 17, 18, 22, 23, 24, 25].map((index) => `${origin}/${index}`);
  expect(await heldBy(parallelFetchTool(parts, { urls, max_chars: 200_000 }, signal))).toBeLessThan(mostMs);
}, 180_000);

it("a page that nobody waits for any more is not read on", async () => {
  const pacer = new Pacer();
  const stop = new AbortController();
  const pace = pacer.pace(stop.signal);
  await pace.rest();
  expect(pace.due()).toBe(false);
  stop.abort(new Error("stopped"));
  await expect(pace.rest()).rejects.toThrow("stopped");
});
