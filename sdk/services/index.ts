/** The shared contracts of the house. */
export * from "./agent.ts";
export * from "./config.ts";
export * from "./events.ts";
export * from "./gateway.ts";
export * from "./logs.ts";
export * from "./plugins.ts";
export * from "./providers.ts";
export * from "./sessions.ts";
export * from "./store.ts";
export * from "./tools.ts";
