import { isServing, type Report } from '../../contract/report.ts';
import { monotonicNow } from '../lib/clock.ts';

export interface ReportWriterOptions {
  write: (text: string) => Promise<void>;
  /**
   * Between two writes that are not urgent, times the number of replicas: each wakes Crossplane, whose circuit breaker counts
   * the writes of all replicas of a composite together.
   */
  intervalMs?: number;
  /** How long the first report on a new declaration is delayed while it is not serving yet. */
  graceMs?: number;
  /** After which the same report is written again, which is a no-op for Kubernetes unless it was deleted. */
  renewMs?: number;
  now?: () => number;
}

/** Bytes. A ConfigMap holds 1 MiB, and has a key for every replica. */
const limit = 32 * 1024;

/** Writes a report when it changes: at once if the change is urgent, else at most once in an interval. */
export class ReportWriter {
  readonly #options: Required<ReportWriterOptions>;
  /** Declaration of the latest report, and when the first report on it came. */
  #current: { declaration: string | undefined; since: number };
  #written: { report: Report; text: string; at: number } | undefined;
  /** The text of the latest report. */
  #text: string | undefined;

  constructor(options: ReportWriterOptions) {
    this.#options = { intervalMs: 10_000, graceMs: 3_000, renewMs: 60_000, now: monotonicNow, ...options };
    this.#current = { declaration: undefined, since: this.#options.now() };
  }

  /** Whether the last report is to be written later. */
  get isWaiting(): boolean {
    return this.#text !== this.#written?.text;
  }

  /** Writes the report if it is due. */
  async update(report: Report, replicas = 1): Promise<void> {
    const { write, intervalMs, graceMs, renewMs, now } = this.#options;
    const text = fit(report);
    const last = this.#written;
    this.#text = text;
    if (text === last?.text && now() - last.at < renewMs) return;
    if (last && this.#current.declaration !== report.declaration) {
      this.#current = { declaration: report.declaration, since: now() };
    }
    // A start or a change takes seconds: a report before it is over would only cost a write.
    const isFirst = report.declaration !== last?.report.declaration;
    // ExternalDNS cannot start before the function has removed the sources that the cluster does not serve.
    const missingChanged = JSON.stringify(report.discovery.missing) !== JSON.stringify(last?.report.discovery.missing);
    if (isFirst && !missingChanged && !isServing(report) && now() - this.#current.since < (last ? graceMs : intervalMs))
      return;
    const isUrgent = !last || isFirst || missingChanged || urgentPart(report) !== urgentPart(last.report);
    if (!isUrgent && now() - last.at < intervalMs * replicas) return;
    await write(text);
    this.#written = { report, text, at: now() };
  }
}

/** The part of a report that affects the composite's readiness or its composed resources. */
function urgentPart(report: Report): string {
  const { resolution, served } = report;
  const resolves = resolution === undefined || resolution.state === 'Serving';
  return JSON.stringify([isServing(report), resolves, served]);
}

/** Returns the report as text, without details if it would be too long. */
function fit(report: Report): string {
  const { zones } = report;
  const bare = { ...withFirst(0, report), zones: zones.map(({ message: _, ...zone }) => zone) };
  const texts = [report, withFirst(3, report)].values().map((each) => JSON.stringify(each));
  return texts.find((text) => Buffer.byteLength(text) <= limit) ?? JSON.stringify(bare);
}

/** Limits the lists whose length depends on objects. The counts of names stay. */
function withFirst(count: number, { discovery, names, ...rest }: Report): Report {
  const { preview } = discovery;
  return {
    ...rest,
    discovery: { ...discovery, ...(preview && { preview: preview.slice(0, count) }) },
    ...(names && { names: { ...names, problems: names.problems.slice(0, count) } }),
  };
}
