/** What is wrong with the section `tools` beyond its schema. A rule for a tool that there is not guards nothing: that is told. */
import { type ConfigProblem, objectOf, toolGroups } from "@chela/sdk";

const addresses = ["searxng_url", "base_url"] as const;
/** Those of settings and plugins that may be off now. */
const switched = ["exec", "process", "skill_exec", "mcp"];
const named: ReadonlySet<string> = new Set([...switched, ...toolGroups.flatMap(({ tools }) => tools)]);

/** `known`: the tools there are now, and ours that wait for a service; none before the gateway has begun. */
export function problemsOf(section: unknown, known: readonly string[]): readonly ConfigProblem[] {
  const { web, approvals } = objectOf(section);
  const search = objectOf(objectOf(web).search);
  const badAddresses = addresses.filter((key) => typeof search[key] === "string" && !isHttp(search[key]));
  const strangers = known.length === 0 ? [] : Object.keys(objectOf(objectOf(approvals).tools));
  return [
    ...badAddresses.map((key) => ({
      path: `tools.web.search.${key}`,
      message: "must be an http or https URL",
      level: "error" as const,
    })),
    ...strangers
      .filter((name) => !known.includes(name) && !named.has(name) && !name.startsWith("mcp__"))
      .map((name) => ({
        path: `tools.approvals.tools.${name}`,
        message: `is a rule for "${name}", and there is no such tool now: chela tools list`,
        level: "warning" as const,
      })),
  ];
}

function isHttp(text: string): boolean {
  return text === "" || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol));
}
