/** Everything a plugin author imports. */
export { type Static, type TSchema, Type } from "typebox";
export * from "./allowlist.ts";
export * from "./context.ts";
export * from "./errors.ts";
export * from "./hooks.ts";
export * from "./identity.ts";
export * from "./json.ts";
export * from "./keyed-lock.ts";
export * from "./logger.ts";
export * from "./messages.ts";
export * from "./plugin.ts";
export * from "./reply.ts";
export * from "./service.ts";
export * from "./services/index.ts";
export * from "./text.ts";
