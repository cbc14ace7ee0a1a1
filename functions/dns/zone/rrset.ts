import type { Answer } from '../answer.ts';
import type { RecordType } from '../rdata/record-type.ts';

/** Records of one name and type: what DNS answers with. */
export interface RRset {
  /** Absolute. */
  name: string;
  type: string;
  /** Seconds. */
  ttl: number;
  /** The content of each record as PowerDNS writes it. */
  records: string[];
}

/** One record as it is written somewhere, with its content in canonical form. */
export interface Entry {
  /** Absolute. */
  name: string;
  type: RecordType;
  /** Seconds; none means the zone's default. */
  ttl: number | undefined;
  content: string;
  /** Where it is written, such as `line 17` or `records[3].values[0]`. */
  at: string;
  /** Whether its address gets a PTR record. */
  ptr?: boolean;
  /** How the addresses are answered, if not simply all. */
  answer?: Answer;
}

/** An RRset that was declared. */
export interface DeclaredRRset extends RRset {
  ptr?: boolean;
  answer?: Answer;
}

/** What is wrong with something that was written, and where. */
export interface ZoneIssue {
  at: string;
  message: string;
}
