import type { Report, Resolution, ZoneReport } from '../../contract/report.ts';
import type { NameState } from '../../contract/verdict.ts';

/** A name as it has been for a while. */
export interface TrackedName extends NameState {
  /** When the verdict became this one: milliseconds since 1970. */
  since: number;
  /** From the last change of the object until it was answered: milliseconds. */
  propagation?: number;
}

/** Everything that an agent can tell people. */
export interface Overview {
  /** The name of the InternalDNS. */
  instance: string;
  zones: readonly ZoneReport[];
  discovery: Report['discovery'];
  /** Absent before the first test. */
  resolution?: Resolution;
  /** Sorted by name, and those of one name by their objects. */
  names: readonly TrackedName[];
}
