/** The doors of the kernel: the host for embedding, the boot for the binary. */

export { Host } from "./host/host.ts";
export type { Catalog, HostOptions } from "./host/host-options.ts";
export { type OpenHost, type OpenOptions, openHost } from "./host/open-host.ts";
export { type RunOptions, runGateway } from "./process/boot.ts";
export { hostVersion } from "./version.ts";
