/** By what usage can be summed. */
export const kinds = ["day", "hour", "model", "provider", "identity", "session", "agent", "purpose"] as const;

/** By what each sum can be split once more. */
export const splitKinds = ["model", "provider", "identity", "agent", "purpose"] as const;

export type SplitKind = (typeof splitKinds)[number];
