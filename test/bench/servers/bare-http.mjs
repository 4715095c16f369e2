/** The yardstick for HTTP: the least a node:http server can do. Prints `listening PORT`. */
import { createServer } from "node:http";

const version = '{"ok":true,"gateway_version":"1.0.0","compiled_channels":[]}\n';

const server = createServer((req, res) => {
  if (req.url === "/ready") return void res.end("ok");
  res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(version) });
  res.end(version);
});

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => console.log(`listening ${server.address().port}`));
