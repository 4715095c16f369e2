/** Two ends of a connection without a socket: what is written to one is read from the other, with back-pressure. */
import { Duplex } from "node:stream";

class End extends Duplex {
  peer: End | undefined;
  remoteAddress = "127.0.0.1";
  #pending: (() => void) | undefined;

  override _read(): void {
    const resume = this.#pending;
    this.#pending = undefined;
    resume?.();
  }

  /** Called by the other end. */
  receive(chunk: Buffer | null, done: () => void): void {
    const gone = this.destroyed || this.readableEnded;
    if (gone || chunk === null || this.push(chunk)) done();
    else this.#pending = done;
    if (!gone && chunk === null) this.push(null);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#deliver(chunk, done);
  }

  override _final(done: () => void): void {
    this.#deliver(null, done);
  }

  /** Never within the call that writes: a socket does not answer while it is being written to, and ws relies on that. */
  #deliver(chunk: Buffer | null, done: () => void): void {
    process.nextTick(() => {
      if (!this.peer || this.peer.destroyed) done();
      else this.peer.receive(chunk, done);
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const resume = this.#pending;
    this.#pending = undefined;
    resume?.();
    const { peer } = this;
    if (peer && !peer.destroyed) setImmediate(() => peer.destroy());
    done(error);
  }

  /** What node's HTTP code expects of a socket. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end(() => this.destroy());
    else this.destroy();
  }
}

export function duplexPair(): { readonly client: Duplex; readonly server: Duplex } {
  const client = new End();
  const server = new End();
  client.peer = server;
  server.peer = client;
  return { client, server };
}
