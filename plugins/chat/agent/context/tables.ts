/** The tables of the agent: summaries of what is older, what a running turn has said so far, who answers in a session. */
import type { Migration } from "@chela/sdk";

export const agentMigrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE chat_summaries (
        log TEXT NOT NULL PRIMARY KEY,
        upto INTEGER NOT NULL,
        text TEXT NOT NULL,
        made_at BIGINT NOT NULL
      )`,
      `CREATE TABLE chat_partials (
        turn TEXT NOT NULL PRIMARY KEY,
        session TEXT NOT NULL,
        text TEXT NOT NULL,
        model TEXT NOT NULL
      )`,
      "CREATE TABLE chat_owners (session TEXT NOT NULL PRIMARY KEY, agent TEXT NOT NULL)",
    ],
  },
  {
    // `owner` is the process and instance whose turn it is, `round` the tool calls that are under way.
    version: 2,
    statements: [
      "ALTER TABLE chat_partials ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE chat_partials ADD COLUMN round TEXT",
    ],
  },
];
