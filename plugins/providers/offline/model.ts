/** The offline model as others name it; what it says is loaded with the first question. */
export const offline = { id: "offline/offline", provider: "offline", model: "offline" } as const;
