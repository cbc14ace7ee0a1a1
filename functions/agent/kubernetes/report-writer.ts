import { isServing, type Report } from '../../contract/report.ts';
import { monotonicNow } from '../lib/clock.ts';

export interface ReportWriterOptions {
  write: (text: string) => Promise<void>;
  /**
   * How far apart two writes of one replica are that nobody waits for; of several, so many times as far. Each wakes
   * Crossplane, which stops listening to a chatterer, and it counts what the replicas of a composite say together.
   */
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
export class ReportWriter {
  readonly #options: Required<ReportWriterOptions>;
  /** The declaration that is spoken of, and since when. */
  #subject: { declaration: string | undefined; since: number };
  #written: { report: Report; text: string; at: number } | undefined;

  constructor(options: ReportWriterOptions) {
    this.#options = { intervalMs: 10_000, patienceMs: 3_000, renewMs: 60_000, now: monotonicNow, ...options };
    this.#subject = { declaration: undefined, since: this.#options.now() };
  }

  /** `replicas` share what may be said. */
  async offer(report: Report, replicas = 1): Promise<void> {
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
    const isAwaited = !last || isNews || lacks || awaited(report) !== awaited(last.report);
    if (!isAwaited && now() - last.at < intervalMs * replicas) return;
    await write(text);
    this.#written = { report, text, at: now() };
  }
}

/** What of a report changes the composite's readiness, or what is composed. Names come and go, and nothing waits for them. */
function awaited(report: Report): string {
  const { resolution, served } = report;
  const resolves = resolution === undefined || resolution.state === 'Serving';
  return JSON.stringify([isServing(report), resolves, served]);
}

/** The report as text, without the details that would make it too long. */
function fit(report: Report): string {
  const { zones } = report;
  const bare = { ...withFirst(0, report), zones: zones.map(({ message: _, ...zone }) => zone) };
  const texts = [report, withFirst(3, report), bare].map((each) => JSON.stringify(each));
  return texts.find((text) => Buffer.byteLength(text) <= limit) ?? texts[2]!;
}

/** With so many at most of what objects bring. The counts of names stay as they are. */
function withFirst(count: number, { discovery, names, ...rest }: Report): Report {
  const { preview } = discovery;
  return {
    ...rest,
    discovery: { ...discovery, ...(preview && { preview: preview.slice(0, count) }) },
    ...(names && { names: { ...names, problems: names.problems.slice(0, count) } }),
  };
}
