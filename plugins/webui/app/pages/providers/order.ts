/** Who is asked for a model, in order: its credentials, then those of the models that stand in for it. */
import type { Candidate, Listing, Rest } from "./shapes.ts";

export interface Step {
  readonly model: string;
  readonly candidate: Candidate | undefined;
  /** Why it is passed over now. */
  readonly rest: Rest | undefined;
}

export function orderOf(models: readonly string[], { providers }: Pick<Listing, "providers">): readonly Step[] {
  return models.flatMap((id): Step[] => {
    const provider = providers.find(({ name }) => id.startsWith(`${name}/`));
    if (provider === undefined) return [{ model: id, candidate: undefined, rest: undefined }];
    return (provider.candidates ?? []).map((candidate) => ({
      model: id,
      candidate,
      rest: provider.cooldowns.find((rest) => {
        const isSame = rest.credential === (candidate.target ?? "");
        return isSame && (rest.model === undefined || rest.model === id);
      }),
    }));
  });
}
