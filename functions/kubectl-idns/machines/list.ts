/** A host of a list. */
export interface ListedHost {
  /** Where it is in the list, from 1. */
  line: number;
  name: string;
  labels?: Record<string, string>;
  /** As in a Machine, but not validated yet. */
  spec: Record<string, unknown>;
}

/** A line that is no host. */
export interface LineFault {
  line: number;
  message: string;
}

/** What a list holds. */
export interface HostList {
  hosts: ListedHost[];
  faults: LineFault[];
  /** Lines that are left out, and why. */
  skipped: LineFault[];
}
