import type { WayIn } from '../contract/ways-in.ts';

/** A zone, as declared, with the RDATA of its DS records; none if it is not signed. */
export interface Zone {
  name: string;
  ds: readonly string[];
}

export type Server = WayIn['servers'][number];

/** What a program has to know: the zones, and the servers to ask for them. Never empty. */
export interface Target {
  zones: readonly Zone[];
  servers: readonly Server[];
  /** Whether they answer for names outside the zones, too. */
  answersAll?: boolean;
}

/** What to do, as a sentence, and what to paste there. */
export interface Step {
  text: string;
  code?: string;
}

/** A program or service that forwards zones, or a device that cannot. */
export interface Program {
  /** Unique; lower case letters, digits and hyphens. */
  id: string;
  name: string;
  /** Whether it can ask on other ports than 53. */
  ports: 'Any' | '53';
  steps(target: Target): Step[];
}

export const dnsPort = 53;

/** `192.0.2.53`, `192.0.2.53#5353` */
export const withPort = ({ address, port }: Server, separator: string) =>
  port === dnsPort ? address : `${address}${separator}${port}`;

/** `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353` */
export const hostAndPort = ({ address, port }: Server) => {
  if (port === dnsPort) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
};

export const lines = (...parts: readonly (string | readonly string[])[]): string => parts.flat().join('\n');

/** The fields of a DS record: RFC 4034 section 5.3. */
export function fieldsOfDS(ds: string) {
  const [tag = '', algorithm = '', digestType = '', ...digest] = ds.split(' ');
  return { tag, algorithm, digestType, digest: digest.join('') };
}

/** A resolver that validates takes the anchors of these, and must be told not to look for one of the others. */
export const isSigned = ({ ds }: Zone) => ds.length > 0;

export const namesOf = (zones: readonly Zone[]) => zones.map(({ name }) => name);
