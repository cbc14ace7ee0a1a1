import { hash } from 'node:crypto';
import { mostTargets } from '../../contract/declaration.ts';
import { bounds } from '../../contract/report.ts';
import { JSONList } from '../lib/json-list.ts';
import { parse } from '../lib/parse.ts';
import { type Endpoint, endpoint, nameOf, type SeenTargets, withFewTargets } from './endpoint.ts';

export interface EndpointsParserOptions {
  /**
   * The targets that objects have for an absolute name; undefined if the name is over the host limit of all of them.
   */
  seenAt?: (name: string) => SeenTargets | undefined;
  /** Characters of all endpoints together, with equal lists of targets counted once. It may change. */
  limit?: () => number;
}

/** A parsed endpoint and how often it occurs. */
interface Known {
  endpoint: Endpoint;
  count: number;
  size: number;
}

/** The endpoints of a body while it is parsed. */
interface Parsed {
  /** By text. */
  endpoints: Map<string, Known>;
  targetLists: Map<string, string[]>;
}

/** Bytes. An endpoint with as many targets as the limit is hardly ever longer. */
const longest = 256 * 1024;
/** Characters. A longer text is replaced by its hash as a key. */
const longestKey = 512;

/**
 * Parses the endpoints that ExternalDNS sends. It sends all of them in every loop, each time in another order:
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 *
 * A body is parsed as it arrives, and equal lists of targets are kept once: ExternalDNS repeats all targets of an
 * object for each of its hosts, so that an object of 28 KiB makes a body of 12 MiB.
 */
export class EndpointsParser {
  readonly #options: Required<EndpointsParserOptions>;
  /** By text. */
  #known: ReadonlyMap<string, Known> = new Map();
  #endpoints: Endpoint[] = [];
  /** The object that the last error about the limit named. */
  #largest = '';

  constructor(options: EndpointsParserOptions = {}) {
    this.#options = { seenAt: () => nothing, limit: () => Number.POSITIVE_INFINITY, ...options };
  }

  /**
   * Returns the same array if the body has the same endpoints as the last one. Throws if it is not a list of endpoints.
   */
  async parse(body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Endpoint[]> {
    const limit = this.#options.limit();
    const list = new JSONList({ longest, shorten: (beginning) => this.#shorten(beginning), tooLong });
    const parsed: Parsed = { endpoints: new Map(), targetLists: new Map() };
    let size = 0;
    await readToEnd(body, (chunk) => {
      for (const text of list.push(chunk)) {
        size += this.#add(text, parsed);
        if (size > limit) throw new Error(this.#overLimit(limit, parsed));
      }
    });
    list.end();
    const { endpoints } = parsed;
    if (!this.#isSame(endpoints)) {
      this.#endpoints = [...endpoints.values()].flatMap(({ endpoint, count }) => Array<Endpoint>(count).fill(endpoint));
      this.#known = endpoints;
    }
    return this.#endpoints;
  }

  /** Adds the endpoint in a text. Returns its size. */
  #add(text: string, parsed: Parsed): number {
    const key = keyOf(text);
    const known = parsed.endpoints.get(key) ?? this.#known.get(key);
    if (known) return this.#count(key, known.endpoint, parsed);
    const whole = parse(text, endpoint);
    const seen = this.#options.seenAt(nameOf(whole));
    if (!seen) return 0;
    if (whole.targets.length <= mostTargets) return this.#count(key, whole, parsed);
    const few = withFewTargets(whole, () => seen);
    const fewKey = keyOf(JSON.stringify(few));
    return this.#count(fewKey, this.#known.get(fewKey)?.endpoint ?? few, parsed);
  }

  #count(key: string, endpoint: Endpoint, { endpoints, targetLists }: Parsed): number {
    const known = endpoints.get(key);
    if (known) {
      known.count++;
      return known.size;
    }
    const list = endpoint.targets.join('\n');
    const targets = targetLists.get(list);
    targetLists.set(list, targets ?? endpoint.targets);
    if (targets) endpoint.targets = targets;
    const size = endpoint.dnsName.length + JSON.stringify(endpoint.labels ?? {}).length + 100;
    endpoints.set(key, { endpoint, count: 1, size });
    return targets ? size : size + list.length;
  }

  /** Names the largest object. As each body has another order, that is the one named before while it is still large. */
  #overLimit(limit: number, { endpoints }: Parsed): string {
    const sizes = new Map<string, number>();
    for (const { endpoint, size, count } of endpoints.values()) {
      const object = endpoint.labels?.resource ?? '';
      sizes.set(object, (sizes.get(object) ?? 0) + size * count);
    }
    const [first = ''] = [...sizes].sort(([a, most], [b, least]) => least - most || (a < b ? -1 : 1))[0] ?? [];
    if ((sizes.get(this.#largest) ?? 0) * 2 < (sizes.get(first) ?? 0)) this.#largest = first;
    const whose = this.#largest && ` (${this.#largest.slice(0, bounds.resource)} is among the largest)`;
    return `objects request endpoints of more than ${limit} characters${whose}: ${fewerNames}`;
  }

  #isSame(endpoints: ReadonlyMap<string, Known>): boolean {
    if (endpoints.size !== this.#known.size) return false;
    return endpoints.entries().every(([text, { count }]) => this.#known.get(text)?.count === count);
  }

  #shorten(beginning: string): string {
    const text = `${beginning}]}`;
    const { targets } = withFewTargets(parse(text, endpoint), (name) => this.#options.seenAt(name) ?? nothing);
    const whole = { ...JSON.parse(text), ...(targets.length > 0 && { targets }) };
    return JSON.stringify(whole).slice(0, -2);
  }
}

/** The cure when objects request more than the agent can keep. */
export const fewerNames =
  'raise resources.agent.limits.memory, request fewer hosts and targets, or discover fewer objects';

/**
 * An endpoint begins with its name: https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/endpoint.go
 */
function tooLong(beginning: string, length: number): Error {
  const [, name] = /"dnsName"\s*:\s*"([^"\\]{1,255})"/.exec(beginning.slice(0, 1024)) ?? [];
  const whose = name ? `host ${name}` : 'a host';
  return new Error(`the endpoint of ${whose} is longer than ${length} bytes: shorten the annotations of its object`);
}

const nothing: SeenTargets = new Set();

const keyOf = (text: string) => (text.length <= longestKey ? text : hash('sha256', text, 'base64'));

/** Reads a body to its end even if a chunk is rejected: ExternalDNS exits if the connection is closed before. */
export async function readToEnd(
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  push: (chunk: Buffer) => void,
): Promise<void> {
  let failure: unknown;
  for await (const chunk of body) {
    if (failure !== undefined) continue;
    try {
      push(chunk);
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
}
