/** The yardstick for WebSockets: sends whatever is posted to it to every socket. Prints `listening PORT`. */
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((req, res) => {
  req.resume();
  req.on("end", () => {
    const frame = JSON.stringify({ type: "bench.tick", sent: performance.timeOrigin + performance.now() });
    for (const client of sockets.clients) client.send(frame);
    res.end("{}");
  });
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });

server.listen(0, "127.0.0.1", 4096, () => console.log(`listening ${server.address().port}`));
