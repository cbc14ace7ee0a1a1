import type { RRset } from '../powerdns/rrset.ts';

/** The record that one source object requests, in canonical form. */
export interface DesiredRecord extends RRset {
  /** Why it cannot be published, where the record itself does not show it. */
  fault?: string;
  /** Whether a filter of the spec excludes it. Then its current record is deleted, which other rejected records keep. */
  isFiltered?: boolean;
}
