import { parseName } from '../rdata/domain-name.ts';
import { excerpt } from '../rdata/field.ts';
import { parseTTL } from '../ttl.ts';

/** A SOA record without its serial, which PowerDNS sets. Names are fully qualified, times in seconds. */
export interface ZoneFileSOA {
  mname: string;
  rname: string;
  refresh: number;
  retry: number;
  expire: number;
  minimum: number;
  /** Where it is written. */
  at: string;
}

/** Parses the RDATA of a SOA record: RFC 1035 section 3.3.13. */
export function parseSOA(rdata: string[], origin: string, at: string): ZoneFileSOA {
  const [mname, rname, serial, refresh, retry, expire, minimum] = rdata;
  if (minimum === undefined || rdata.length > 7 || !/^\d{1,10}$/.test(serial ?? '')) {
    throw new Error(`not "mname rname serial refresh retry expire minimum": ${excerpt(rdata.slice(0, 9).join(' '))}`);
  }
  return {
    mname: parseName(mname ?? '', origin),
    rname: parseName(rname ?? '', origin),
    refresh: parseTTL(refresh ?? '', 'refresh'),
    retry: parseTTL(retry ?? '', 'retry'),
    expire: parseTTL(expire ?? '', 'expire'),
    minimum: parseTTL(minimum, 'minimum'),
    at,
  };
}

/** Reports whether two SOA records have the same RDATA: a transfer begins and ends with it (RFC 5936 section 2.2). */
export const isSameSOA = (a: ZoneFileSOA, b: ZoneFileSOA) =>
  JSON.stringify({ ...a, at: '' }) === JSON.stringify({ ...b, at: '' });
