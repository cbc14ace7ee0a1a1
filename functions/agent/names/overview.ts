import type { Reach } from '../../connect/guide.ts';
import type { Report, Resolution, ZoneReport } from '../../contract/report.ts';
import type { NameState } from '../../contract/verdict.ts';

/** The state of a name, and its history. */
export interface TrackedName extends NameState {
  /** When the verdict last changed: milliseconds since 1970. */
  since: number;
  /** From the last change of the object until it was answered: milliseconds. */
  propagation?: number;
}

/** What the status page shows. */
export interface Overview {
  /** The name of the InternalDNS. */
  instance: string;
  zones: readonly ZoneReport[];
  discovery: Report['discovery'];
  /** Absent before the first self-test. */
  resolution?: Resolution;
  /** What clients can connect to. The same object until it changes. */
  reach: Reach;
  /** Sorted by name, and then by object. */
  names: readonly TrackedName[];
}
