/** Every key there is, from the English words: a key that no language has does not compile. */
import type { words as chat } from "./en/chat.ts";
import type { words as config } from "./en/config.ts";
import type { words as dashboard } from "./en/dashboard.ts";
import type { words as editor } from "./en/editor.ts";
import type { words as files } from "./en/files.ts";
import type { words as form } from "./en/form.ts";
import type { words as keys } from "./en/keys.ts";
import type { words as logs } from "./en/logs.ts";
import type { words as mcp } from "./en/mcp.ts";
import type { words as plugins } from "./en/plugins.ts";
import type { words as providers } from "./en/providers.ts";
import type { words as shell } from "./en/shell.ts";

export type Words = typeof shell &
  typeof chat &
  typeof config &
  typeof dashboard &
  typeof editor &
  typeof files &
  typeof form &
  typeof keys &
  typeof logs &
  typeof mcp &
  typeof plugins &
  typeof providers;

/** What a translation of a chapter has to have. */
export type Translation<T> = Readonly<Record<keyof T, string>>;
