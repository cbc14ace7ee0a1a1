/** What becomes of a question for the addresses of a name that is in none of the zones. `Failed`: an answer is SERVFAIL. */
export type OutOfZoneState = 'Addresses' | 'NoAddress' | 'Absent' | 'Failed';

/** What the pod's resolver says of such names. */
export interface OutOfZoneNames {
  /** Another one after every change of what it says. */
  readonly version: number;
  /** Undefined while that is not known, as when the resolver does not answer. */
  of(name: string): OutOfZoneState | undefined;
  /** Takes over which names are of interest, all absolute; the others are forgotten. */
  follow(names: ReadonlySet<string>): void;
}
