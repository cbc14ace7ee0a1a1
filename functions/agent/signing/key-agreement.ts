import { type Algorithm, algorithmNumberOf, algorithmOf, dsOf } from './key.ts';

/** A zone's keys as DNSKEY RDATA. */
export interface KnownKeys {
  /** Without the trailing dot. */
  zone: string;
  stored: string | undefined;
  /** In PowerDNS. */
  installed: string[];
  /** DS records that the zone was published with. */
  ds: string[];
  /** What people call the store, such as `Secret idns-corp-dnssec`. */
  secret: string;
}

/** The step that makes the store and PowerDNS have the same key. */
export type Step = 'generate' | 'mirror' | 'install' | 'keep';

/** Returns the next step, or throws why there is none: a zone must never be signed with another key than before. */
export function nextStep({ zone, stored, installed, ds, secret }: KnownKeys): Step {
  const [current, ...more] = new Set(installed);
  if (more.length > 0) {
    const all = [current, ...more].map((dnskey = '') => dsOf(zone, dnskey)).join(', ');
    throw new Error(`PowerDNS has several keys for ${zone}, with DS ${all}, and only one can be kept: ${remedy}`);
  }
  if (stored && current && stored !== current) {
    const [ours, theirs] = [dsOf(zone, stored), dsOf(zone, current)];
    throw new Error(
      `${secret} has another key for ${zone} than PowerDNS, with DS ${ours} and not ${theirs}: ` +
        `restore the ${secret} from a backup, or ${remedy}`,
    );
  }
  const key = stored ?? current;
  if (key === undefined) {
    if (ds.length === 0) return 'generate';
    throw new Error(
      `the key of ${zone} is gone, and it was published with DS ${ds.join(', ')}: ` +
        `restore the ${secret} from a backup, or ${remedy}`,
    );
  }
  if (ds.length > 0 && !ds.map(canonicalDS).includes(dsOf(zone, key))) {
    const where = stored ? secret : 'PowerDNS';
    throw new Error(
      `the key of ${zone} in ${where} has DS ${dsOf(zone, key)}, and the zone was published with DS ${ds.join(', ')}: ` +
        `restore the ${secret} from a backup, or ${remedy}`,
    );
  }
  if (!current) return 'install';
  return stored ? 'keep' : 'mirror';
}

/** Throws if a zone's key has another algorithm than declared: a rollover takes two keys (RFC 6781 section 4.1.4). */
export function requireAlgorithm(zone: string, dnskey: string, declared: Algorithm): void {
  const number = algorithmNumberOf(dnskey);
  if (algorithmOf(number) === declared) return;
  throw new Error(
    `the key of ${zone} is of ${algorithmOf(number) ?? `algorithm ${number}`}, and a rollover to ${declared} is not ` +
      `supported: declare the former, or ${remedy}`,
  );
}

const remedy =
  'set dnssec.mode to Unsigning, remove its DS records and trust anchors wherever they are, and set it to Off to start anew';

/** Hexadecimal digits may be in either case and in groups (RFC 4034 section 5.3). */
function canonicalDS(ds: string): string {
  const [tag, algorithm, type, ...digest] = ds.trim().toLowerCase().split(/\s+/);
  return [tag, algorithm, type, digest.join('')].join(' ');
}
