/** The documents of a workspace: which there are, and in which order they are listed and told. */

/** As `/api/workspace_docs` lists them. */
export const allDocuments = [
  "AGENTS.md",
  "BOOT.md",
  "BOOTSTRAP.md",
  "HEARTBEAT.md",
  "IDENTITY.md",
  "MEMORY.md",
  "SOUL.md",
  "TOOLS.md",
  "USER.md",
] as const;

/** As every prompt begins. */
export const promptOrder = ["AGENTS.md", "BOOT.md", "SOUL.md", "USER.md", "IDENTITY.md", "TOOLS.md"] as const;

/** Told last, until the agent knows who it is and whom it talks to. */
export const introduction = "BOOTSTRAP.md";

export const introduced = ["IDENTITY.md", "USER.md"] as const;
