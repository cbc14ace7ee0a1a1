/** The cluster of KUBECONFIG, as kubectl shows and changes it. What tests do often goes to the API: see api.ts. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { loadConfig } from '../../../functions/agent/kubernetes/config.ts';
import { unless } from '../../../functions/agent/kubernetes/status.ts';
import type { KubernetesObject } from '../../../functions/cdk8s-function-xp/composition.ts';
import { type CreateOptions, create, deleteAt, objectPathOf, validateEdit } from './api.ts';

const run = promisify(execFile);

/** Runs kubectl and returns its output; rejects with its stderr. */
export async function kubectl(...args: string[]): Promise<string> {
  try {
    return (await run('kubectl', args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    throw new Error((error as { stderr?: string }).stderr?.trim() || String(error));
  }
}

/** `kubectl apply` of objects; rejects with the error of the API server. */
export async function apply(...objects: object[]): Promise<void> {
  const existing: object[] = [];
  for (const object of objects) {
    if (!(await createUnlessExists(withLastApplied(object)))) existing.push(object);
  }
  if (existing.length > 0) await applyAgain(existing);
}

/** Validates an object in the API server without storing it; rejects with its error. */
export async function dryRun(object: KubernetesObject): Promise<void> {
  if (!(await createUnlessExists(object, { dryRun: true }))) await validateEdit(object);
}

/** Server-side apply: `kubectl apply` stores a copy in an annotation, which is limited to 256 KiB. */
export async function applyLarge(...objects: KubernetesObject[]): Promise<void> {
  const api = await clusterClient();
  for (const object of objects) await api.apply(await objectPathOf(object), object, { fieldManager: 'kubectl' });
}

/** Creates an object as another account; returns it as the API server responds. */
export const createAs = (account: string, object: object): Promise<KubernetesObject> => create(object, { as: account });

const createUnlessExists = async (object: object, options?: CreateOptions): Promise<boolean> =>
  (await create(object, options).catch(unless(409))) !== undefined;

/** With what `kubectl apply` compares the object's next manifest with. */
function withLastApplied(object: object): object {
  const { metadata } = object as KubernetesObject;
  const annotations = {
    ...metadata.annotations,
    'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(object)}\n`,
  };
  return { ...object, metadata: { ...metadata, annotations } };
}

/** kubectl knows how to merge each kind. */
async function applyAgain(items: object[]): Promise<void> {
  const child = spawn('kubectl', ['apply', '-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.end(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(Buffer.concat(errors).toString().trim());
}

/** Kinds that tests poll, change or delete often. */
const frequent: Readonly<Record<string, [api: string, plural: string]>> = {
  internaldns: ['/apis/dns.internal/v1alpha1', 'internaldnses'],
  configuration: ['/apis/pkg.crossplane.io/v1', 'configurations'],
  function: ['/apis/pkg.crossplane.io/v1', 'functions'],
  event: ['/api/v1', 'events'],
  node: ['/api/v1', 'nodes'],
  pod: ['/api/v1', 'pods'],
  service: ['/api/v1', 'services'],
  configmap: ['/api/v1', 'configmaps'],
  persistentvolumeclaim: ['/api/v1', 'persistentvolumeclaims'],
  statefulset: ['/apis/apps/v1', 'statefulsets'],
  ingress: ['/apis/networking.k8s.io/v1', 'ingresses'],
};

/** Undefined for a kind that kubectl is asked about. */
function pathOf(kind: string, namespace: string | undefined, name?: string): string | undefined {
  const [api, plural] = frequent[kind] ?? [];
  const collection = api && `${api}${namespace ? `/namespaces/${namespace}` : ''}/${plural}`;
  return collection && name ? `${collection}/${name}` : collection;
}

let client: Promise<Client> | undefined;

/** Returns a client of the cluster, always the same one. */
export function clusterClient(): Promise<Client> {
  client ??= loadConfig().then((config) => new Client(config));
  return client;
}

export async function get(kind: string, name: string, namespace?: string): Promise<KubernetesObject> {
  const path = pathOf(kind, namespace, name);
  if (!path) return JSON.parse(await kubectl('get', kind, name, '-o', 'json', ...inNamespace(namespace)));
  return (await clusterClient()).get<KubernetesObject>(path);
}

export interface Selection {
  /** Undefined for kinds of the cluster. */
  namespace?: string;
  /** Label selector. */
  labels?: string;
  /** Field selector. */
  fields?: string;
}

export async function list(kind: string, { namespace, labels, fields }: Selection = {}): Promise<KubernetesObject[]> {
  const path = pathOf(kind, namespace);
  if (path) {
    const query = new URLSearchParams({
      ...(labels && { labelSelector: labels }),
      ...(fields && { fieldSelector: fields }),
    });
    return (await (await clusterClient()).get<{ items: KubernetesObject[] }>(`${path}?${query}`)).items;
  }
  const selectors = [...(labels ? ['-l', labels] : []), ...(fields ? ['--field-selector', fields] : [])];
  return JSON.parse(await kubectl('get', kind, '-o', 'json', ...inNamespace(namespace), ...selectors)).items;
}

export async function exists(kind: string, name: string, namespace?: string): Promise<boolean> {
  if (kind in frequent) return (await get(kind, name, namespace).catch(unless(404))) !== undefined;
  return (await kubectl('get', kind, name, '--ignore-not-found', '-o', 'name', ...inNamespace(namespace))) !== '';
}

/** `kubectl delete --ignore-not-found --wait`. */
export async function remove(kind: string, name: string, namespace?: string): Promise<void> {
  const path = pathOf(kind, namespace, name);
  if (!path) {
    await kubectl('delete', kind, name, '--ignore-not-found', '--wait=true', ...inNamespace(namespace));
  } else if (await deleteAt(path)) {
    await until(`${kind} ${name} is gone`, async () => !(await exists(kind, name, namespace)));
  }
}

/** Whether an object has a condition that is True. */
export const isTrue = ({ status }: KubernetesObject, type: string): boolean =>
  (status?.conditions ?? []).some((c: { type: string; status: string }) => c.type === type && c.status === 'True');

/** Merges a change into an object, as `kubectl patch --type=merge` does. */
export async function patch(kind: string, name: string, change: object, namespace?: string): Promise<void> {
  const path = pathOf(kind, namespace, name);
  if (path) await (await clusterClient()).mergePatch(path, change, { fieldManager: 'kubectl-patch' });
  else await kubectl('patch', kind, name, '--type=merge', '-p', JSON.stringify(change), ...inNamespace(namespace));
}

interface Condition {
  status?: string;
  reason?: string;
  message?: string;
}

/** A condition of an InternalDNS; empty while it does not have it. */
export async function condition(composite: string, type: string): Promise<Condition> {
  const { conditions = [] }: Partial<KubernetesObject['status']> = (await get('internaldns', composite)).status ?? {};
  return conditions.find((c: { type: string }) => c.type === type) ?? {};
}

/** Seconds that a test waits for a condition: many times what any takes on a busy machine. */
export const waitSeconds = 180;

/** As `kubectl wait --for=condition=... KIND/NAME` does; returns the seconds it took. */
export function waitFor(condition: string, object: string, seconds = waitSeconds): Promise<number> {
  const [kind = '', name = ''] = object.split('/');
  return until(
    `${object} is ${condition}`,
    async () => {
      const { metadata, status } = await get(kind, name);
      const conditions: { type: string; status: string; observedGeneration?: number }[] = status?.conditions ?? [];
      const found = conditions.find(({ type }) => type === condition);
      const isCurrent = (found?.observedGeneration ?? Number.POSITIVE_INFINITY) >= (metadata.generation ?? 0);
      return (found?.status === 'True' && isCurrent) || conditions;
    },
    { seconds },
  );
}

/**
 * Waits until an InternalDNS is Ready; returns the seconds it took. kube-scheduler may need 300 of them: it is notified that a
 * volume is bound before its VolumeBinding plugin, still finds it unbound, and retries the pod only after that time.
 * https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/backend/queue/scheduling_queue.go#L66
 */
export const waitForReady = (composite: string) => waitFor('Ready', `internaldns/${composite}`, 300 + waitSeconds);

const inNamespace = (namespace: string | undefined) => (namespace ? ['-n', namespace] : []);

export interface WaitOptions {
  /** Milliseconds between two looks. */
  every?: number;
  /** Until the wait fails. */
  seconds?: number;
}

/** Polls until `holds` resolves to true; returns the seconds it took. Rejects with the last other result when it takes too long. */
export async function until(
  what: string,
  holds: () => Promise<unknown>,
  { every = 250, seconds = waitSeconds }: WaitOptions = {},
): Promise<number> {
  const start = performance.now();
  let seen: unknown;
  while (performance.now() - start < seconds * 1000) {
    try {
      seen = await holds();
      if (seen === true) return (performance.now() - start) / 1000;
    } catch (error) {
      seen = error instanceof Error ? error.message : error;
    }
    await sleep(every);
  }
  throw new Error(`not within ${seconds}s: ${what}; last seen: ${JSON.stringify(seen)}`);
}

/**
 * Waits until Crossplane has nothing left to do. An edit in the middle of a reconcile gets the Ready of the previous state:
 * Crossplane marks its conditions with the generation that the API server returns, not with the one that it reconciled.
 * https://github.com/crossplane/crossplane/blob/v2.4.0/internal/controller/apiextensions/composite/composition_functions.go#L755
 */
export async function waitForQuiescence(composite: string): Promise<void> {
  let last = '';
  let since = 0;
  await until('the composite has not changed for two seconds', async () => {
    const version = (await get('internaldns', composite)).metadata.resourceVersion ?? '';
    if (version !== last) [last, since] = [version, performance.now()];
    return performance.now() - since > 2000 || version;
  });
}
