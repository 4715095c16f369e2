/** An OpenAI-compatible upstream that answers at once: JSON, or as many chunks as the model's name says. */
import { createServer } from "node:http";

const head = { id: "chatcmpl-bench", created: 1_700_000_000, model: "bench" };
const usage = { prompt_tokens: 12, completion_tokens: 22, total_tokens: 34 };
const message = {
  role: "assistant",
  content: "The quick brown fox jumps over the lazy dog, again and again and again.",
};
const json = JSON.stringify({
  ...head,
  object: "chat.completion",
  choices: [{ index: 0, message, finish_reason: "stop" }],
  usage,
});

function events(count) {
  const chunk = (delta, finish_reason = null) =>
    `data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const tokens = Array.from({ length: count - 2 }, (_, index) => chunk({ content: `token ${index} ` }));
  return [chunk({ role: "assistant", content: "" }), ...tokens, chunk({}, "stop"), "data: [DONE]\n\n"];
}

const streams = new Map([4, 22].map((count) => [count, events(count)]));

const server = createServer((req, res) => {
  let body = "";
  req.setEncoding("utf8");
  req.on("data", (chunk) => {
    body += chunk;
  });
  req.on("end", () => {
    if (req.method === "GET") return void res.end('{"object":"list","data":[]}');
    const asked = JSON.parse(body);
    if (asked.stream !== true) {
      res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(json) });
      return void res.end(json);
    }
    res.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of streams.get(Number(/\d+$/.exec(asked.model)?.[0] ?? 4)) ?? []) res.write(event);
    res.end();
  });
});

server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
