/** Whether a host that an object requests resolves, and if not, the kind of reason. */
export const verdicts = [
  'Resolved',
  /** Younger than a few loops of ExternalDNS, or about to be published. */
  'Pending',
  /** The object's controller has written no address, or its target has none. */
  'NoAddress',
  /** Another object has the name. */
  'Duplicate',
  /** The spec declares a record there. */
  'DeclaredElsewhere',
  /** An unmanaged record exists there. */
  'ForeignRecord',
  /** The delete guard keeps what the object no longer has. */
  'Held',
  /** Rejected by PowerDNS, a rule of DNS or a rule of the spec. */
  'Refused',
  /** Excluded by a filter of the spec. */
  'Filtered',
  'OutsideZones',
] as const;

export type Verdict = (typeof verdicts)[number];

/** Compares in the order above: what needs attention comes before what is intended. */
export const bySeverity = (a: { verdict: Verdict }, b: { verdict: Verdict }) =>
  verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict);

/** Reports whether this server should answer for a name. Others are listed, but not counted. */
export const isCounted = (verdict: Verdict) => verdict !== 'OutsideZones' && verdict !== 'Filtered';

/** Why a host does not resolve. */
export interface Reason {
  verdict: Exclude<Verdict, 'Resolved'>;
  message: string;
  /** Pending for so long that it will not resolve by itself. */
  isLate?: boolean;
}

/** The state of a host of one object. */
export interface NameState {
  /** Without the dot at the end. */
  name: string;
  /** `ingress/shop/web` */
  resource: string;
  verdict: Verdict;
  /** One sentence: the answer, or why there is none and how to fix it. */
  message: string;
  isLate?: Reason['isLate'];
  /** The declared zone that the name is in, without the dot at the end. */
  zone?: string;
  /** What it answers, such as `A 192.0.2.7`. */
  answers: readonly string[];
}

/** Identifies a host of an object. */
export const nameKey = ({ name, resource }: Pick<NameState, 'name' | 'resource'>) => `${name} ${resource}`;
