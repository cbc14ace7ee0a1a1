import { excerpt } from './field.ts';
import type { RecordType } from './record-type.ts';
import { parameterName } from './svcb-parameters.ts';

const generic = /^\\#(?=\s|$)/;

/** Reports whether RDATA is in the generic format `\# 4 c0000201`, which RFC 3597 section 5 allows for every type. */
export const isGeneric = (text: string) => generic.test(text);

/** Parses RDATA in the generic format. */
export function genericOctets(text: string): Buffer {
  const [length = '', ...parts] = text.replace(generic, '').replace(/[()]/g, ' ').trim().split(/\s+/);
  const digits = parts.join('');
  const isWhole =
    /^\d{1,5}$/.test(length) && /^(?:[0-9a-f]{2})*$/i.test(digits) && digits.length === 2 * Number(length);
  if (isWhole) return Buffer.from(digits, 'hex');
  throw new Error(`not "\\# length hexadecimal", such as "\\# 4 c0000201": ${excerpt(text)}`);
}

type Format = (octets: Octets) => string;

const target: Format = (octets) => octets.name();
const numbered =
  (...sizes: (1 | 2)[]) =>
  (octets: Octets) =>
    sizes.map((size) => octets.number(size)).join(' ');
const digest =
  (...sizes: (1 | 2)[]): Format =>
  (octets) =>
    `${numbered(...sizes)(octets)} ${octets.rest().toString('hex')}`;

const formats: Readonly<Record<Exclude<RecordType, 'ALIAS'> | 'SOA', Format>> = {
  A: (octets) => octets.take(4).join('.'),
  AAAA: (octets) => addressOf(octets.take(16)),
  CAA: (octets) => `${octets.number(1)} ${octets.string().toString('latin1')} ${escaped(octets.rest())}`,
  CNAME: target,
  DNAME: target,
  DS: digest(2, 1, 1),
  HTTPS: serviceBinding,
  MX: (octets) => `${octets.number(2)} ${octets.name()}`,
  NAPTR: (octets) =>
    [numbered(2, 2)(octets), ...[0, 0, 0].map(() => escaped(octets.string())), octets.name()].join(' '),
  NS: target,
  PTR: target,
  SOA: (octets) => [octets.name(), octets.name(), ...[0, 0, 0, 0, 0].map(() => octets.number(4))].join(' '),
  SRV: (octets) => `${numbered(2, 2, 2)(octets)} ${octets.name()}`,
  SSHFP: digest(1, 1),
  SVCB: serviceBinding,
  TLSA: digest(1, 1, 1),
  TXT: (octets) => [escaped(octets.string()), ...octets.each(() => escaped(octets.string()))].join(' '),
};

/** Converts RDATA from wire to presentation format. Throws if the octets do not match the type. */
export function presentationOf(type: RecordType | 'SOA', rdata: Buffer): string {
  if (type === 'ALIAS') throw new Error('ALIAS is specific to PowerDNS and has no wire format');
  const octets = new Octets(rdata);
  const text = formats[type](octets);
  if (octets.isEmpty) return text;
  throw new Error(`too many octets for ${type}: ${excerpt(rdata.toString('hex'))}`);
}

/** Reads RDATA in wire format from the first octet to the last: RFC 1035 section 3.3. */
class Octets {
  readonly #octets: Buffer;
  #position = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  get isEmpty(): boolean {
    return this.#position === this.#octets.length;
  }

  take(length: number): Buffer {
    const taken = this.#octets.subarray(this.#position, this.#position + length);
    if (taken.length < length) throw new Error(`too few octets: ${excerpt(this.#octets.toString('hex'))}`);
    this.#position += length;
    return taken;
  }

  rest(): Buffer {
    return this.take(this.#octets.length - this.#position);
  }

  number(size: 1 | 2 | 4): number {
    return this.take(size).readUIntBE(0, size);
  }

  string(): Buffer {
    return this.take(this.number(1));
  }

  /** A fully qualified name. It must not be compressed (RFC 3597 section 4). */
  name(): string {
    const labels: string[] = [];
    for (let length = this.number(1); length > 0; length = this.number(1)) {
      if (length > 63) throw new Error(`a compressed name: ${excerpt(this.#octets.toString('hex'))}`);
      labels.push(labelOf(this.take(length)));
    }
    return `${labels.join('.')}.`;
  }

  /** Reads until the last octet. */
  each<T>(read: () => T): T[] {
    const all: T[] = [];
    while (!this.isEmpty) all.push(read());
    return all;
  }
}

const labelOf = (label: Buffer) => label.toString('latin1').replace(/[^a-z0-9_*/-]/gi, decimal);
const escaped = (octets: Buffer) => `"${octets.toString('latin1').replace(/[^ -~]|["\\]/g, decimal)}"`;
const decimal = (octet: string) => `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`;

const addressOf = (octets: Buffer) => (octets.toString('hex').match(/.{4}/g) ?? []).join(':');

/** RFC 9460 section 2.2. */
function serviceBinding(octets: Octets): string {
  const head = `${octets.number(2)} ${octets.name()}`;
  const parameters = octets.each(() => parameterOf(octets.number(2), octets.take(octets.number(2))));
  return [head, ...parameters].join(' ');
}

function parameterOf(key: number, value: Buffer): string {
  const name = parameterName(key);
  return value.length === 0 ? name : `${name}=${parameterValue(key, new Octets(value))}`;
}

function parameterValue(key: number, octets: Octets): string {
  switch (key) {
    case 0:
      return octets.each(() => parameterName(octets.number(2))).join();
    case 1:
      return escaped(Buffer.from(octets.each(() => listed(octets.string())).join(), 'latin1'));
    case 3:
      return String(octets.number(2));
    case 4:
      return octets.each(() => octets.take(4).join('.')).join();
    case 5:
      return octets.rest().toString('base64');
    case 6:
      return octets.each(() => addressOf(octets.take(16))).join();
    case 9:
      return octets.each(() => octets.number(2)).join();
    default:
      return escaped(octets.rest());
  }
}

/** Escapes the commas in an item of a list: RFC 9460 appendix A.1. */
const listed = (item: Buffer) => item.toString('latin1').replace(/[,\\]/g, '\\$&');
