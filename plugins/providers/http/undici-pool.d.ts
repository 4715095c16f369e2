/** The Pool alone: the package's index loads four times as much (fetch, WebSocket, cache, mocks). */
declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";
  export = Pool;
}
