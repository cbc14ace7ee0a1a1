/**
 * The same work, left out while it would take more than its share of the time: of thousands of names each look costs tens
 * of milliseconds, and one changes every second somewhere.
 * @param share of one core
 * @param now milliseconds that only go up
 */
export function limitDutyCycle(work: () => void, share: number, now = () => performance.now()): () => void {
  let restsUntil = Number.NEGATIVE_INFINITY;
  return () => {
    const began = now();
    if (began < restsUntil) return;
    work();
    const ended = now();
    restsUntil = ended + (ended - began) * (1 / share - 1);
  };
}
