/** The doors of the kernel: the host for embedding, the boot for the binary. */
export { type RunOptions, runGateway } from "./boot.ts";
export { Host } from "./host.ts";
export type { Catalog, HostOptions } from "./host-options.ts";
export { type OpenHost, type OpenOptions, openHost } from "./open-host.ts";
export { hostVersion } from "./version.ts";
