import { createHash } from 'node:crypto';
import { mostTargets } from '../../contract/declaration.ts';
import { bounds } from '../../contract/report.ts';
import { JSONList } from '../lib/json-list.ts';
import { parse } from '../lib/parse.ts';
import { type Endpoint, endpoint, nameOf, type SeenTargets, withFewTargets } from './endpoint.ts';

export interface EndpointsParserOptions {
  /** What objects are seen to want of an absolute name; undefined where all who want it have too many hosts. */
  seenAt?: (name: string) => SeenTargets | undefined;
  /** Characters of all endpoints together, in which a list of targets counts once. It may change. */
  limit?: () => number;
}

/** An endpoint as it was read, and how often it came. */
interface Known {
  endpoint: Endpoint;
  count: number;
  size: number;
}

/** Bytes: what an endpoint with as many targets as count hardly ever has. */
const longest = 256 * 1024;
/** Characters of a text that is kept to recognise it; a longer one is known by its hash. */
const longestKey = 512;

/**
 * Recognises the endpoints that were wanted the last time. ExternalDNS sends all of them in every loop, and each time in
 * another order: https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 *
 * Of its body no more is kept than counts, and of equal lists of targets one: it repeats all targets of an object for
 * each of its hosts, so that an object of 28 KiB makes a body of 12 MiB.
 */
export class EndpointsParser {
  readonly #options: Required<EndpointsParserOptions>;
  /** By their texts. */
  #known: ReadonlyMap<string, Known> = new Map();
  #endpoints: Endpoint[] = [];
  /** The object that was named when all of them asked for too much. */
  #largest = '';

  constructor(options: EndpointsParserOptions = {}) {
    this.#options = { seenAt: () => nothing, limit: () => Number.POSITIVE_INFINITY, ...options };
  }

  /** The endpoints of a body: the very list that was given for the one before, if they are the same. Throws on what is none. */
  async parse(body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Endpoint[]> {
    const limit = this.#options.limit();
    const list = new JSONList({ longest, shorten: (beginning) => this.#shortened(beginning), tooLong });
    const present = new Map<string, Known>();
    const lists = new Map<string, string[]>();
    let size = 0;
    await toTheEnd(body, (chunk) => {
      for (const text of list.push(chunk)) {
        size += this.#take(text, present, lists);
        if (size > limit) throw new Error(this.#tooMuch(limit, present));
      }
    });
    list.end();
    if (!this.#isSame(present)) {
      this.#endpoints = [...present.values()].flatMap(({ endpoint, count }) => Array<Endpoint>(count).fill(endpoint));
      this.#known = present;
    }
    return this.#endpoints;
  }

  /** Adds an endpoint to those that are present; how much it takes. */
  #take(text: string, present: Map<string, Known>, lists: Map<string, string[]>): number {
    const key = keyOf(text);
    const there = present.get(key) ?? this.#known.get(key);
    if (there) return this.#put(key, there.endpoint, present, lists);
    const whole = parse(text, endpoint);
    const seen = this.#options.seenAt(nameOf(whole));
    if (!seen) return 0;
    if (whole.targets.length <= mostTargets) return this.#put(key, whole, present, lists);
    const few = withFewTargets(whole, () => seen);
    const fewKey = keyOf(JSON.stringify(few));
    return this.#put(fewKey, this.#known.get(fewKey)?.endpoint ?? few, present, lists);
  }

  #put(key: string, endpoint: Endpoint, present: Map<string, Known>, lists: Map<string, string[]>): number {
    const there = present.get(key);
    if (there) {
      there.count++;
      return there.size;
    }
    const list = endpoint.targets.join('\n');
    const targets = lists.get(list);
    lists.set(list, targets ?? endpoint.targets);
    if (targets) endpoint.targets = targets;
    const size = endpoint.dnsName.length + JSON.stringify(endpoint.labels ?? {}).length + 100;
    present.set(key, { endpoint, count: 1, size });
    return targets ? size : size + list.length;
  }

  /** Names the object that asks for most; as each body has another order, the same as before while it asks for much. */
  #tooMuch(limit: number, present: ReadonlyMap<string, Known>): string {
    const sizes = new Map<string, number>();
    for (const { endpoint, size, count } of present.values()) {
      const object = endpoint.labels?.resource ?? '';
      sizes.set(object, (sizes.get(object) ?? 0) + size * count);
    }
    const [first = ''] = [...sizes].sort(([a, most], [b, least]) => least - most || (a < b ? -1 : 1))[0] ?? [];
    if ((sizes.get(this.#largest) ?? 0) * 2 < (sizes.get(first) ?? 0)) this.#largest = first;
    const whose = this.#largest && ` (${this.#largest.slice(0, bounds.resource)} is among those that ask for most)`;
    return `what objects ask for is more than ${limit} characters${whose}: ${fewerNames}`;
  }

  #isSame(present: ReadonlyMap<string, Known>): boolean {
    if (present.size !== this.#known.size) return false;
    return present.entries().every(([text, { count }]) => this.#known.get(text)?.count === count);
  }

  #shortened(beginning: string): string {
    const text = `${beginning}]}`;
    const { targets } = withFewTargets(parse(text, endpoint), (name) => this.#options.seenAt(name) ?? nothing);
    const whole = { ...JSON.parse(text), ...(targets.length > 0 && { targets }) };
    return JSON.stringify(whole).slice(0, -2);
  }
}

/** What there is to do about it. */
export const fewerNames =
  'raise resources.agent.limits.memory, or have objects ask for fewer hosts and targets, or fewer objects be discovered';

/** It begins with its name: https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/endpoint.go */
function tooLong(beginning: string, length: number): Error {
  const [, name] = /"dnsName"\s*:\s*"([^"\\]{1,255})"/.exec(beginning.slice(0, 1024)) ?? [];
  const whose = name ? `host ${name}` : 'a host';
  return new Error(`the endpoint of ${whose} is longer than ${length} bytes: shorten the annotations of its object`);
}

const nothing: SeenTargets = new Set();

const keyOf = (text: string) => (text.length <= longestKey ? text : createHash('sha256').update(text).digest('base64'));

/** A connection that is closed before its end would end ExternalDNS's process: the rest is read and thrown away. */
export async function toTheEnd(
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  take: (chunk: Buffer) => void,
): Promise<void> {
  let failure: unknown;
  for await (const chunk of body) {
    if (failure !== undefined) continue;
    try {
      take(chunk);
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
}
