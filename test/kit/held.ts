/** How long some work holds the event loop: what everybody else has to wait for it. */

/** The longest that the loop was held, in CPU time of this process: other processes' work is none of ours. */
export async function heldBy(work: Promise<unknown>): Promise<number> {
  let [longest, before] = [0, cpuMs()];
  const look = () => {
    const now = cpuMs();
    longest = Math.max(longest, now - before);
    before = now;
  };
  const timer = setInterval(look, 1);
  await work.finally(() => clearInterval(timer));
  look();
  return longest;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
