/** The cluster of KUBECONFIG. Writes go through kubectl, as people use it; polling reads go to the API. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from '../../../functions/agent/kubernetes/client.ts';
import { loadConfig } from '../../../functions/agent/kubernetes/config.ts';
import { isApiError } from '../../../functions/agent/kubernetes/status.ts';
import type { KubernetesObject } from '../../../functions/cdk8s-function-xp/composition.ts';

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
export const apply = (...objects: object[]): Promise<void> => applyWith([], objects);

/** Validates objects in the API server without storing them; rejects with its error. */
export const dryRun = (...objects: object[]): Promise<void> => applyWith(['--dry-run=server'], objects);

/** Server-side apply: `kubectl apply` stores a copy in an annotation, which is limited to 256 KiB. */
export const applyLarge = (...objects: object[]): Promise<void> => applyWith(['--server-side'], objects);

async function applyWith(flags: string[], items: object[]): Promise<void> {
  await kubectlWith({ apiVersion: 'v1', kind: 'List', items }, 'apply', ...flags, '-f', '-');
}

/** Creates an object as another account, without client-side validation; returns it as the API server responds. */
export async function createAs(account: string, object: object): Promise<KubernetesObject> {
  return JSON.parse(
    await kubectlWith(object, 'create', `--as=${account}`, '--validate=false', '-o', 'json', '-f', '-'),
  );
}

async function kubectlWith(input: object, ...args: string[]): Promise<string> {
  const child = spawn('kubectl', args, { stdio: 'pipe' });
  child.stdin.end(JSON.stringify(input));
  const [output, errors]: Buffer[][] = [[], []];
  child.stdout.on('data', (chunk) => output!.push(chunk));
  child.stderr.on('data', (chunk) => errors!.push(chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(Buffer.concat(errors!).toString().trim());
  return Buffer.concat(output!).toString();
}

/** Kinds that tests poll: each run of kubectl takes a tenth of a second of a core. */
const polled: Readonly<Record<string, [api: string, plural: string]>> = {
  internaldns: ['/apis/dns.internal/v1alpha1', 'internaldnses'],
  pod: ['/api/v1', 'pods'],
  service: ['/api/v1', 'services'],
  configmap: ['/api/v1', 'configmaps'],
  persistentvolumeclaim: ['/api/v1', 'persistentvolumeclaims'],
  statefulset: ['/apis/apps/v1', 'statefulsets'],
  ingress: ['/apis/networking.k8s.io/v1', 'ingresses'],
};

let client: Promise<Client> | undefined;

/** Returns a client of the cluster, always the same one. */
export function clusterClient(): Promise<Client> {
  client ??= loadConfig().then((config) => new Client(config));
  return client;
}

export async function get(kind: string, name: string, namespace?: string): Promise<KubernetesObject> {
  const [api, plural] = polled[kind] ?? [];
  if (!api) return JSON.parse(await kubectl('get', kind, name, '-o', 'json', ...inNamespace(namespace)));
  const path = `${api}${namespace ? `/namespaces/${namespace}` : ''}/${plural}/${name}`;
  return (await clusterClient()).get<KubernetesObject>(path);
}

export async function list(kind: string, ...args: string[]): Promise<KubernetesObject[]> {
  return JSON.parse(await kubectl('get', kind, '-o', 'json', ...args)).items;
}

export async function exists(kind: string, name: string, namespace?: string): Promise<boolean> {
  if (kind in polled) {
    return get(kind, name, namespace).then(
      () => true,
      (error) => {
        if (isApiError(error, 404)) return false;
        throw error;
      },
    );
  }
  return (await kubectl('get', kind, name, '--ignore-not-found', '-o', 'name', ...inNamespace(namespace))) !== '';
}

export async function remove(kind: string, name: string, namespace?: string): Promise<void> {
  await kubectl('delete', kind, name, '--ignore-not-found', '--wait=true', ...inNamespace(namespace));
}

/** Whether an object has a condition that is True. */
export const isTrue = ({ status }: KubernetesObject, type: string): boolean =>
  (status?.conditions ?? []).some((c: { type: string; status: string }) => c.type === type && c.status === 'True');

/** Merges a change into an object. */
export async function patch(kind: string, name: string, change: object, namespace?: string): Promise<void> {
  await kubectl('patch', kind, name, '--type=merge', '-p', JSON.stringify(change), ...inNamespace(namespace));
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

/** `kubectl wait --for=condition=...`; returns the seconds it took. */
export async function waitFor(condition: string, object: string, seconds = waitSeconds): Promise<number> {
  const start = performance.now();
  await kubectl('wait', `--for=condition=${condition}`, object, `--timeout=${seconds}s`);
  return (performance.now() - start) / 1000;
}

/**
 * Waits until an InternalDNS is Ready; returns the seconds it took. kube-scheduler may need 300 of them: it is notified that a
 * volume is bound before its VolumeBinding plugin, still finds it unbound, and retries the pod only after that time.
 * https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/scheduler/backend/queue/scheduling_queue.go#L66
 */
export const waitForReady = (composite: string) => waitFor('Ready', `internaldns/${composite}`, 300 + waitSeconds);

const inNamespace = (namespace: string | undefined) => (namespace ? ['-n', namespace] : []);

/**
 * Polls every so many milliseconds until `holds` resolves to true; returns the seconds it took. Rejects after `waitSeconds` with
 * the last other result.
 */
export async function until(what: string, holds: () => Promise<unknown>, every = 100): Promise<number> {
  const start = performance.now();
  let seen: unknown;
  while (performance.now() - start < waitSeconds * 1000) {
    try {
      seen = await holds();
      if (seen === true) return (performance.now() - start) / 1000;
    } catch (error) {
      seen = error instanceof Error ? error.message : error;
    }
    await sleep(every);
  }
  throw new Error(`not within ${waitSeconds}s: ${what}; last seen: ${JSON.stringify(seen)}`);
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
