import type { Report, Resolution } from '../contract/report.ts';

/** What is found out around the zones, for the report. Each part is set by whoever asks for it, and absent before. */
export interface Observations {
  /** What of the sources the cluster does not serve. */
  missing?: NonNullable<Report['discovery']['missing']>;
  /** Of the optional kinds those that the cluster serves; none is another answer than none yet. */
  served?: string[];
  /** Why the API server cannot be asked. */
  reach?: string | undefined;
  /** Why the claim could not grow. */
  storage?: string | undefined;
  /** What the self-test says. */
  resolution?: Resolution | undefined;
}
