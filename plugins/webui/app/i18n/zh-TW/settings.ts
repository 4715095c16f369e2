/** What the built-in plugins and their settings say of themselves: `settings.json` by the English sentence. */
import words from "./settings.json" with { type: "json" };

export { words };
