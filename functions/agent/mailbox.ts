import type { Report } from './report.ts';

export interface MailboxOptions {
  write: (text: string) => Promise<void>;
  /** How far apart two writes are that nobody waits for: each wakes Crossplane, which stops listening to a chatterer. */
  intervalMs?: number;
  now?: () => number;
}

/** Well below what a ConfigMap holds, with a key for every replica. Characters; a report is ASCII for the most part. */
const limit = 32 * 1024;

/** Writes a report when it says something new: at once if somebody waits for it, else at most once in an interval. */
export class Mailbox {
  readonly #options: Required<MailboxOptions>;
  #written: { report: Report; text: string; at: number } | undefined;

  constructor(options: MailboxOptions) {
    this.#options = { intervalMs: 10_000, now: Date.now, ...options };
  }

  async offer(report: Report): Promise<void> {
    const { write, intervalMs, now } = this.#options;
    const text = fit(report);
    const last = this.#written;
    if (text === last?.text) return;
    const isAwaited =
      !last || last.report.declaration !== report.declaration || readinessOf(last.report) !== readinessOf(report);
    if (!isAwaited && now() - last.at < intervalMs) return;
    await write(text);
    this.#written = { report, text, at: now() };
  }
}

const readinessOf = ({ zones, discovery }: Report) => [...zones.map((z) => z.state), discovery.state].join();

/** The report as text, without the details that would make it too long. */
function fit(report: Report): string {
  const text = JSON.stringify(report);
  if (text.length <= limit) return text;
  const brief = { ...report, discovery: { ...report.discovery, refused: report.discovery.refused.slice(0, 3) } };
  const shorter = JSON.stringify(brief);
  if (shorter.length <= limit) return shorter;
  return JSON.stringify({ ...brief, zones: brief.zones.map(({ name, state }) => ({ name, state })) });
}
