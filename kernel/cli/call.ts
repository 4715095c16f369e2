/** `call`: the plain door to every RPC method. */
import { GatewayError, messageOf } from "@chela/sdk";
import type { Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { integerOption } from "./values.ts";

export const call: Handler = async (cli, [method = "", json], options) => {
  const timeoutMs = integerOption(options.timeout, "--timeout", { min: 1, max: 3_600_000 });
  const params = json === undefined ? undefined : parse(json);
  const gateway = await needGateway(cli, `call ${method}`);
  cli.out.data(await gateway.call(method, params, { timeoutMs }));
};

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const reason = messageOf(error);
    throw new GatewayError(
      "USAGE",
      400,
      `The params are not JSON (${reason}). Quote them for the shell: '{"id":"chat"}'.`,
    );
  }
}
