import { isServing, type Report } from './report.ts';

export interface MailboxOptions {
  write: (text: string) => Promise<void>;
  /** How far apart two writes are that nobody waits for: each wakes Crossplane, which stops listening to a chatterer. */
  intervalMs?: number;
  /** How long the first report on a new declaration waits for a good one. */
  patienceMs?: number;
  /** After this time the same is written again: Kubernetes takes it for no change, unless somebody has removed it. */
  renewMs?: number;
  now?: () => number;
}

/** Bytes. Well below what a ConfigMap holds, with a key for every replica. */
const limit = 32 * 1024;

/** Writes a report when it says something new: at once if somebody waits for it, else at most once in an interval. */
export class Mailbox {
  readonly #options: Required<MailboxOptions>;
  /** The declaration that is spoken of, and since when. */
  #subject: { declaration: string | undefined; since: number };
  #written: { report: Report; text: string; at: number } | undefined;

  constructor(options: MailboxOptions) {
    this.#options = { intervalMs: 10_000, patienceMs: 3_000, renewMs: 60_000, now: Date.now, ...options };
    this.#subject = { declaration: undefined, since: this.#options.now() };
  }

  async offer(report: Report): Promise<void> {
    const { write, intervalMs, patienceMs, renewMs, now } = this.#options;
    const text = fit(report);
    const last = this.#written;
    if (text === last?.text && now() - last.at < renewMs) return;
    if (last && this.#subject.declaration !== report.declaration) {
      this.#subject = { declaration: report.declaration, since: now() };
    }
    // A start or a change takes seconds, and is over with the first good report: what comes before it would only cost.
    const isNews = report.declaration !== last?.report.declaration;
    // Discovery cannot begin before the function has left a source out that the cluster lacks.
    const lacks = JSON.stringify(report.discovery.missing) !== JSON.stringify(last?.report.discovery.missing);
    if (isNews && !lacks && !isServing(report) && now() - this.#subject.since < (last ? patienceMs : intervalMs))
      return;
    const isAwaited =
      lacks || !last || last.report.declaration !== report.declaration || isServing(last.report) !== isServing(report);
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
    zones: zones.map(({ message: _, ...zone }) => zone),
    discovery: { ...discovery, refused: [] },
  };
  const texts = [report, brief, bare].map((each) => JSON.stringify(each));
  return texts.find((text) => Buffer.byteLength(text) <= limit) ?? texts[2]!;
}
