/**
 * Over HTTP a request holds a connection until it is answered, and the official client keeps it when the call was given up:
 * here it goes with the notification that tells the server so.
 */
import { BoundedMap, isObject, jsonOf } from "@chela/sdk";

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;
/** `givenUp` aborts when nobody waits for the answer any more. */
type LeavingFetch = (url: string | URL, init: RequestInit, givenUp?: AbortSignal) => Promise<Response>;

/** Requests that are remembered; what was answered long ago needs no end. */
const maxRemembered = 200;

export function lettingGo(fetch: LeavingFetch): Fetch {
  const given = new BoundedMap<unknown, AbortController>(maxRemembered);
  return async (url, init = {}) => {
    const message = typeof init.body === "string" ? jsonOf(init.body) : undefined;
    if (!isObject(message) || message.method === undefined) return await fetch(url, init);
    const { id, method, params } = message;
    if (method === "notifications/cancelled" && isObject(params)) given.get(params.requestId)?.abort();
    if (id === undefined) return await fetch(url, init);
    const giveUp = new AbortController();
    given.set(id, giveUp);
    const signal = init.signal ? AbortSignal.any([init.signal, giveUp.signal]) : giveUp.signal;
    return await fetch(url, { ...init, signal }, giveUp.signal);
  };
}
