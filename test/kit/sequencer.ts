/** The order of the test files: those that take long begin first, so that none of them is left alone at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Half a minute and more; the longest first. A name that is missing here costs time, nothing else. */
const long = [
  "docs/guides",
  "e2e/chat.",
  "leak/leak",
  "contract/plugins",
  "faults/kill-load",
  "install/gateway",
  "plugins/mcp/lifecycle",
  "conformance/conventions-cli",
  "attacks/faults",
  "e2e/",
  "providers/wire/endings",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((name) => moduleId.includes(`test/${name}`));
      return at === -1 ? long.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
