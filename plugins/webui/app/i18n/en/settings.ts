/** What plugins and their settings say of themselves is written in English: nothing to translate. */
export const words = {};
