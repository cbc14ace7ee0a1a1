import type { RRset } from '../powerdns/rrset.ts';

/** What one object wants to be answered, in canonical form. */
export interface DesiredRecord extends RRset {
  /** Why it cannot be published, where that does not show in what it says. */
  fault?: string;
  /** Whether a filter took it: what stands of it goes, where other refused wishes leave it standing. */
  isFiltered?: boolean;
}
