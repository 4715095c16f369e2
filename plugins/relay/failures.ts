/** What goes wrong with a relay, in ClawGo's words. */
import { GatewayError } from "@chela/sdk";

export function absent(channel: string): GatewayError {
  return new GatewayError("RELAY_ABSENT", 503, `wsrelay: provider ${channel.slice(0, 64)} not connected`);
}

export function closed(): GatewayError {
  return new GatewayError("RELAY_FAILED", 502, "wsrelay: connection closed during response");
}

export function busy(channel: string, most: number): GatewayError {
  const message = `wsrelay: provider ${channel} carries out ${most} requests already (relay.max_open)`;
  return new GatewayError("RELAY_BUSY", 503, message);
}

export function silent(ms: number): GatewayError {
  return new GatewayError("RELAY_TIMEOUT", 504, `wsrelay: nothing arrived for ${ms} ms`);
}

export function tooSlow(): GatewayError {
  const message = "wsrelay: the reply was not read in time and was dropped (relay.slow_reader_ms)";
  return new GatewayError("RELAY_FAILED", 502, message);
}

/** What the client itself said. */
export function told(text: string, status: number | undefined): GatewayError {
  const message = status === undefined ? text : `${text} (status=${status})`;
  return new GatewayError("RELAY_FAILED", 502, message, status === undefined ? undefined : { status });
}

/** A frame that cannot be used. The request it belongs to has failed. */
export function badFrame(why: string): GatewayError {
  return new GatewayError("RELAY_FAILED", 502, `wsrelay: invalid frame: ${why}`);
}
