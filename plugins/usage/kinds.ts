/** By what usage can be summed. */
export const kinds = ["day", "hour", "model", "provider", "identity", "session", "agent", "purpose"] as const;
