/** Another host on one and the same port: the one change of the listener for which the port must be let go of. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { stop, writeConfig } from "./kit.ts";

function facts({ stateDir }: RunningGateway) {
  return JSON.parse(readFileSync(join(stateDir, "gateway.json"), "utf8")) as { host: string; port: number };
}

describe("a change of the host", () => {
  it("keeps the port, the sockets that are open and the way back", async () => {
    const gateway = await startGateway();
    const { port } = facts(gateway);
    const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/api/events/live`, {
      headers: { authorization: `Bearer ${gateway.token}` },
    });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    for (const host of ["0.0.0.0", "127.0.0.1"]) {
      const answer = await writeConfig(gateway, { gateway: { host } });
      expect(JSON.parse(answer.text)).toMatchObject({ ok: true, restarted: ["gateway"], failed: [] });
      expect(facts(gateway)).toMatchObject({ host, port });
      expect((await gateway.fetch("/api/version")).status).toBe(200);
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
    await stop(gateway);
  });

  it("to an address this machine does not have is refused, and the old one answers as before", async () => {
    const gateway = await startGateway();
    const before = facts(gateway);
    // TEST-NET-1 of RFC 5737: nobody has it.
    const answer = await writeConfig(gateway, { gateway: { host: "192.0.2.1" } });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/cannot listen on 192\.0\.2\.1/);
    expect(facts(gateway)).toMatchObject({ host: before.host, port: before.port });
    expect((await gateway.fetch("/api/version")).status).toBe(200);
    await stop(gateway);
  });
});
