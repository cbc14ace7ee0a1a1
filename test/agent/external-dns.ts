/**
 * ExternalDNS as far as a webhook sees it: a loop of records, adjustendpoints, plan and, if anything differs, POST
 * records. The plan follows https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/plan/plan.go and conflict.go.
 */
import type { Endpoint, EndpointChanges } from '../../functions/agent/discovery/endpoint.ts';

export interface Webhook {
  records(): Promise<Endpoint[]>;
  adjustEndpoints(endpoints: Endpoint[]): Promise<Endpoint[]>;
  applyChanges(changes: EndpointChanges): Promise<void>;
}

/** `--managed-record-types`: records of other types are neither created nor deleted. */
const managedTypes = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TXT'];

export type Policy = 'sync' | 'upsert-only' | 'create-only';

/** Runs one loop. Returns the changes that it posted, undefined if everything was up to date. */
export async function loop(webhook: Webhook, endpoints: Endpoint[], policy: Policy = 'sync') {
  const current = await webhook.records();
  const desired = await webhook.adjustEndpoints(endpoints);
  const changes = plan(current, desired, policy);
  if (!changes) return undefined;
  await webhook.applyChanges(changes);
  return changes;
}

interface Row {
  current: Endpoint[];
  candidates: Endpoint[];
}

export function plan(current: Endpoint[], desired: Endpoint[], policy: Policy): Required<EndpointChanges> | undefined {
  const changes = { create: [] as Endpoint[], updateNew: [] as Endpoint[], delete: [] as Endpoint[] };
  const rows = new Map<string, Row>();
  const rowOf = ({ dnsName }: Endpoint): Row => {
    const key = dnsName.trim().toLowerCase();
    const row = rows.get(key) ?? { current: [], candidates: [] };
    rows.set(key, row);
    return row;
  };
  const isManaged = ({ recordType }: Endpoint) => managedTypes.includes(recordType);
  for (const endpoint of current.filter(isManaged)) rowOf(endpoint).current.push(endpoint);
  for (const endpoint of desired.filter(isManaged)) rowOf(endpoint).candidates.push(endpoint);
  for (const row of rows.values()) planRow(row, changes);
  if (policy !== 'sync') changes.delete = [];
  if (policy === 'create-only') changes.updateNew = [];
  return Object.values(changes).some((list) => list.length > 0) ? changes : undefined;
}

function planRow({ current, candidates }: Row, changes: Required<EndpointChanges>): void {
  if (candidates.length === 0) return void changes.delete.push(...current);
  const types = new Set([...current, ...candidates].map((e) => e.recordType));
  const isMixed = candidates.some((e) => e.recordType === 'CNAME') && candidates.some((e) => e.recordType !== 'CNAME');
  for (const type of types) {
    // The last one of a type counts as the current one.
    const currentEndpoint = current.findLast((e) => e.recordType === type);
    const ofType = isMixed && type === 'CNAME' ? [] : candidates.filter((e) => e.recordType === type);
    const least = ofType.toSorted((a, b) => (lessTargets(a.targets, b.targets) ? -1 : 1))[0];
    if (!least) {
      if (currentEndpoint) changes.delete.push(currentEndpoint);
    } else if (!currentEndpoint) {
      changes.create.push(least);
    } else {
      const update = ofType.find((e) => e.labels?.resource === currentEndpoint.labels?.resource) ?? least;
      const ttlDiffers = Boolean(update.recordTTL) && update.recordTTL !== currentEndpoint.recordTTL;
      if (ttlDiffers || !sameTargets(update.targets, currentEndpoint.targets)) changes.updateNew.push(update);
    }
  }
}

const lessTargets = (a: string[], b: string[]) =>
  a.length === b.length ? a.toSorted().join() < b.toSorted().join() : a.length < b.length;

/** Sorts case-sensitively, and compares without regard to case. */
function sameTargets(a: string[], b: string[]): boolean {
  const sorted = b.toSorted();
  return a.length === b.length && a.toSorted().every((t, i) => t.toLowerCase() === sorted[i]?.toLowerCase());
}

/**
 * The endpoints of objects as the webhook receives them: the source of each kind merges its own, with the label of the
 * first one, and of equal ones the first is kept.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/utils.go (MergeEndpoints)
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/source/wrappers/dedupsource.go
 */
export function merged(endpoints: Endpoint[]): Endpoint[] {
  const keyOf = ({ dnsName, recordType, recordTTL = 0, targets, labels }: Endpoint) =>
    JSON.stringify([
      labels?.resource?.split('/')[0],
      dnsName,
      recordType,
      recordTTL,
      recordType === 'CNAME' && targets,
    ]);
  const ofSources = [...Map.groupBy(endpoints, keyOf).values()].map((same) => ({
    ...(same[0] as Endpoint),
    targets: [...new Set(same.flatMap(({ targets }) => targets))].sort(),
  }));
  const contentOf = ({ dnsName, recordType, targets }: Endpoint) => JSON.stringify([dnsName, recordType, targets]);
  return [...Map.groupBy(ofSources, contentOf).values()].flatMap(([first]) => first ?? []);
}

const mediaType = 'application/external.dns.webhook+json;version=1';

/** A webhook over HTTP. Rejects with the status and the text of an error. */
export function webhookAt(url: string): Webhook & { negotiate(): Promise<unknown> } {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { Accept: mediaType, 'Content-Type': mediaType },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    if (response.headers.get('content-type') !== mediaType) throw new Error('not the media type');
    if (path === '/records' && method === 'POST' && response.status !== 204) throw new Error(`${response.status}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    negotiate: () => call('GET', '/'),
    records: () => call('GET', '/records') as Promise<Endpoint[]>,
    adjustEndpoints: (endpoints) => call('POST', '/adjustendpoints', endpoints) as Promise<Endpoint[]>,
    applyChanges: async (changes) => void (await call('POST', '/records', changes)),
  };
}
