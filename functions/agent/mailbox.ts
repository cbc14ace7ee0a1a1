import { isServing, type Report } from './report.ts';

export interface MailboxOptions {
  write: (text: string) => Promise<void>;
  /** How far apart two writes are that nobody waits for: each wakes Crossplane, which stops listening to a chatterer. */
  intervalMs?: number;
  /** After this time the same is written again: Kubernetes takes it for no change, unless somebody has removed it. */
  renewMs?: number;
  now?: () => number;
}

/** Bytes. Well below what a ConfigMap holds, with a key for every replica. */
const limit = 32 * 1024;

/** Writes a report when it says something new: at once if somebody waits for it, else at most once in an interval. */
export class Mailbox {
  readonly #options: Required<MailboxOptions>;
  readonly #openedAt: number;
  #written: { report: Report; text: string; at: number } | undefined;

  constructor(options: MailboxOptions) {
    this.#options = { intervalMs: 10_000, renewMs: 60_000, now: Date.now, ...options };
    this.#openedAt = this.#options.now();
  }

  async offer(report: Report): Promise<void> {
    const { write, intervalMs, renewMs, now } = this.#options;
    const text = fit(report);
    const last = this.#written;
    if (text === last?.text && now() - last.at < renewMs) return;
    // A start takes seconds, and is over with the first good report: what comes before it would only cost.
    if (!last && !isServing(report) && now() - this.#openedAt < intervalMs) return;
    const isAwaited =
      !last || last.report.declaration !== report.declaration || isServing(last.report) !== isServing(report);
    if (!isAwaited && now() - last.at < intervalMs) return;
    await write(text);
    this.#written = { report, text, at: now() };
  }
}

/** The report as text, without the details that would make it too long. */
function fit(report: Report): string {
  const { zones, discovery } = report;
  const brief = { ...report, discovery: { ...discovery, refused: discovery.refused.slice(0, 3) } };
  const bare = {
    ...report,
    zones: zones.map(({ name, state }) => ({ name, state })),
    discovery: { ...discovery, refused: [] },
  };
  const texts = [report, brief, bare].map((each) => JSON.stringify(each));
  return texts.find((text) => Buffer.byteLength(text) <= limit) ?? texts[2]!;
}
