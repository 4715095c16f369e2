/** How many uploads may come in at once, from one identity and from all: each may fill a temporary file up to its limit. */
import { GatewayError, type Identity } from "@chela/sdk";

const most = 64;
const mostOfOne = 16;

export class UploadPlaces {
  readonly #taken = new Map<string, number>();
  #all = 0;

  /** Returns the way out. Throws `UPLOADS_BUSY` 429. */
  enter({ id }: Identity): () => void {
    const own = this.#taken.get(id) ?? 0;
    if (this.#all >= most || own >= mostOfOne) {
      const message = `${own} of your uploads and ${this.#all} in all are on their way: try again when some have arrived`;
      throw new GatewayError("UPLOADS_BUSY", 429, message, undefined, { headers: { "retry-after": "1" } });
    }
    this.#all += 1;
    this.#taken.set(id, own + 1);
    return () => {
      this.#all -= 1;
      const left = (this.#taken.get(id) ?? 1) - 1;
      if (left > 0) this.#taken.set(id, left);
      else this.#taken.delete(id);
    };
  }
}
