/** The raw RDATA of an answer: dns-packet decodes some types only. */
import { connect } from 'node:net';
import type { RecordType } from '../../functions/dns/rdata/record-type.ts';
import { waitTimeoutMs } from '../timeouts.ts';

/** https://www.iana.org/assignments/dns-parameters, without ALIAS, which is never answered. */
const numbers: Readonly<Record<Exclude<RecordType, 'ALIAS'>, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  DS: 43,
  SSHFP: 44,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  CAA: 257,
};

/** The offset of a name that may be compressed: only in the types of RFC 1035 (RFC 3597 section 4). */
const compressed: Readonly<Record<string, number>> = { NS: 0, CNAME: 0, PTR: 0, MX: 2 };

interface Server {
  port: number;
  /** An address; 127.0.0.1 by default. */
  host?: string;
}

/** Returns the RDATA of a single record in hexadecimal with uncompressed names, or the response code if there is none. */
export async function rdataOf(server: Server, name: string, type: keyof typeof numbers): Promise<string> {
  const message = await ask(server, question(name, numbers[type]));
  const counts = [6, 8, 10].map((at) => message.readUInt16BE(at));
  const asked = nameAt(message, 12);
  let at = asked.end + 4;
  // A delegation is answered in the authority section.
  for (let left = (counts[0] as number) + (counts[1] as number); left > 0; left--) {
    const owner = nameAt(message, at);
    const rdata = owner.end + 10;
    at = rdata + message.readUInt16BE(rdata - 2);
    if (message.readUInt16BE(owner.end) !== numbers[type] || !owner.wire.equals(asked.wire)) continue;
    const prefix = compressed[type];
    if (prefix === undefined) return message.toString('hex', rdata, at);
    return message.toString('hex', rdata, rdata + prefix) + nameAt(message, rdata + prefix).wire.toString('hex');
  }
  return `no ${type} (rcode ${message.readUInt8(3) & 15})`;
}

/** https://www.rfc-editor.org/rfc/rfc1035#section-4.1.1 */
function question(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  const end = Buffer.of(type >> 8, type & 255, 0, 1);
  const message = Buffer.concat([Buffer.from('abcd00000001000000000000', 'hex'), ...labels, end]);
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
}

async function ask({ port, host = '127.0.0.1' }: Server, message: Buffer): Promise<Buffer> {
  const socket = connect(port, host).setTimeout(waitTimeoutMs, () => socket.destroy(new Error('no answer')));
  socket.write(message);
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    if (received.length > 2 && received.length >= 2 + received.readUInt16BE()) return received.subarray(2);
  }
  throw new Error('the connection was closed');
}

/** Decompresses a name (RFC 1035 section 4.1.4). Returns it and the offset after it. */
function nameAt(message: Buffer, start: number): { wire: Buffer; end: number } {
  const length = message.readUInt8(start);
  if (length === 0) return { wire: Buffer.of(0), end: start + 1 };
  if (length >= 0xc0) return { wire: nameAt(message, message.readUInt16BE(start) & 0x3fff).wire, end: start + 2 };
  const rest = nameAt(message, start + 1 + length);
  return { wire: Buffer.concat([message.subarray(start, start + 1 + length), rest.wire]), end: rest.end };
}
