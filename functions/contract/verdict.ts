/** Whether a host that an object asks for resolves, and if not what kind of reason there is. */
export const verdicts = [
  'Resolved',
  /** Younger than a few loops of ExternalDNS, or on its way. */
  'Pending',
  /** The object's controller has written no address, or what it leads to has none. */
  'NoAddress',
  /** Another object has the name. */
  'Duplicate',
  /** The spec has a record of its own there. */
  'DeclaredElsewhere',
  /** Something is there that nobody has marked as his. */
  'ForeignRecord',
  /** The delete guard keeps what the object no longer has. */
  'Held',
  /** PowerDNS, a rule of DNS or a rule of the spec is against it. */
  'Refused',
  /** A filter of the spec leaves it out. */
  'Filtered',
  'OutsideZones',
] as const;

export type Verdict = (typeof verdicts)[number];

/** Compares in the order above: what waits for people comes before what is as somebody wanted it. */
export const bySeverity = (a: { verdict: Verdict }, b: { verdict: Verdict }) =>
  verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict);

/** Whether a name is this server's to answer; what is not is told, and counts for nothing. */
export const isCounted = (verdict: Verdict) => verdict !== 'OutsideZones' && verdict !== 'Filtered';

/** Why a host does not resolve. */
export interface Reason {
  verdict: Exclude<Verdict, 'Resolved'>;
  message: string;
  /** Of what is Pending: it will not come by itself. */
  isLate?: boolean;
}

/** A host of one object, and what there is to say of it. */
export interface NameState {
  /** Without the dot at the end. */
  name: string;
  /** `ingress/shop/web` */
  resource: string;
  verdict: Verdict;
  /** One sentence: what it answers, or why it does not and what to do. */
  message: string;
  isLate?: Reason['isLate'];
  /** The declared zone that the name is in, without the dot at the end. */
  zone?: string;
  /** What it answers, such as `A 192.0.2.7`. */
  answers: readonly string[];
}

/** Identifies a host of an object. */
export const nameKey = ({ name, resource }: Pick<NameState, 'name' | 'resource'>) => `${name} ${resource}`;
