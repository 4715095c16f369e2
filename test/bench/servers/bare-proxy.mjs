/** The yardstick for `/v1`: passes a request on to the upstream and its answer back, as it comes. Prints `listening PORT`. */
import { createServer } from "node:http";
import { Pool } from "undici";

const upstream = new Pool(process.argv[2], { connections: 64 });

const server = createServer((req, res) => {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    const body = Buffer.concat(chunks);
    const headers = { "content-type": "application/json", authorization: "Bearer upstream" };
    upstream
      .stream({ path: req.url, method: "POST", headers, body }, ({ statusCode, headers: reply }) => {
        res.writeHead(statusCode, { "content-type": reply["content-type"] });
        return res;
      })
      .catch(() => res.destroy());
  });
});

server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
