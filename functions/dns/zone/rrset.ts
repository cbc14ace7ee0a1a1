import type { Answer } from '../answer.ts';
import type { RecordType } from '../rdata/record-type.ts';

/** The records of one owner name and type (RFC 9499). */
export interface RRset {
  /** Fully qualified. */
  name: string;
  type: string;
  /** Seconds. */
  ttl: number;
  /** The contents in the form that PowerDNS prints. */
  records: string[];
}

/**
 * A record and where it is written: an entry of a zone file (RFC 1035 section 5) or a value of `spec.zones[].records`.
 */
export interface Entry {
  /** Fully qualified. */
  name: string;
  type: RecordType;
  /** Seconds; undefined means the zone's default. */
  ttl: number | undefined;
  /** In canonical form: see `parseContent`. */
  content: string;
  /** Where it is written, such as `line 17` or `records[3].values[0]`. */
  at: string;
  /** Whether its address gets a PTR record. */
  ptr?: boolean;
  /** How the addresses are answered, unless always all of them. */
  answer?: Answer;
}

/** An RRset of `spec.zones`, with what it declares beyond DNS. */
export interface DeclaredRRset extends RRset {
  ptr?: boolean;
  answer?: Answer;
}

export interface ZoneIssue {
  /** Such as `line 17` or `records[3].values[0]`. */
  at: string;
  message: string;
}
