/**
 * Limits repeated work to a share of the time by skipping calls: a look at thousands of names costs tens of
 * milliseconds, and one of them changes every second.
 * @param share of one core
 * @param now milliseconds on a monotonic clock
 */
export function limitDutyCycle(work: () => void, share: number, now = () => performance.now()): () => void {
  let restsUntil = Number.NEGATIVE_INFINITY;
  return () => {
    const startedAt = now();
    if (startedAt < restsUntil) return;
    work();
    const endedAt = now();
    restsUntil = endedAt + (endedAt - startedAt) * (1 / share - 1);
  };
}
