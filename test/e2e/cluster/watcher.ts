/**
 * Reads the logs of every server in the cluster during a run, and watches the objects that servers depend on. Reports over
 * HTTP when ExternalDNS has completed another loop, and which writes had no cause.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../../functions/agent/kubernetes/client.ts';
import { Informer } from '../../../functions/agent/kubernetes/informer.ts';
import { isApiError } from '../../../functions/agent/kubernetes/status.ts';
import type { KubernetesObject } from '../../../functions/cdk8s-function-xp/composition.ts';
import { waitSeconds } from './kubectl.ts';
import { type Change, type PodLog, writesWithoutCause } from './quiescence.ts';

const serverNamespace = 'internal-dns';
const instanceLabel = 'app.kubernetes.io/instance';

/** Objects that servers discover, and the namespaces that select tenants. */
const discovered = [
  '/api/v1/services',
  '/api/v1/namespaces',
  '/api/v1/pods',
  '/apis/networking.k8s.io/v1/ingresses',
  '/apis/gateway.networking.k8s.io/v1/gateways',
  '/apis/gateway.networking.k8s.io/v1/httproutes',
  '/apis/gateway.networking.k8s.io/v1/grpcroutes',
  '/apis/gateway.networking.k8s.io/v1/tlsroutes',
  '/apis/externaldns.k8s.io/v1alpha1/dnsendpoints',
];

/** Resources that not every cluster serves. */
const optional = [
  '/apis/dns.internal/v1alpha1/machines',
  '/apis/dns.internal/v1alpha1/nameclaims',
  '/apis/dns.internal/v1alpha1/zones',
  '/apis/networking.istio.io/v1/gateways',
  '/apis/networking.istio.io/v1/virtualservices',
  '/apis/projectcontour.io/v1/httpproxies',
  '/apis/traefik.io/v1alpha1/ingressroutes',
  '/apis/traefik.io/v1alpha1/ingressroutetcps',
  '/apis/route.openshift.io/v1/routes',
];

/** Limits a request for writes without a cause to these instances, and their causes to changes in these namespaces. */
export interface Scope {
  instances: string[];
  namespaces: string[];
}

/** Something done to an instance that the API server does not show. */
export type Disturbance = Pick<Change, 'from' | 'to'> & { instance: string };

interface ServerPod {
  instance: string;
  isTerminating: boolean;
  /** The ids of running containers by name; a restart changes the id. */
  containers: Record<string, string>;
}

type Recorded = Change & { namespace?: string | undefined; instance?: string | undefined };
type Log = { [member in keyof PodLog]: PodLog[member] extends readonly (infer T)[] ? T[] : PodLog[member] } & {
  instance: string;
  loops: Record<string, number[]>;
};

export class Watcher {
  readonly #client: Client;
  readonly #changes: Recorded[] = [];
  readonly #logs = new Map<string, Log>();
  readonly #readContainers = new Set<string>();
  readonly #stop = new AbortController();
  readonly #pods: Informer<ServerPod>;
  readonly #informers: Informer<object>[];

  private constructor(client: Client, served: readonly string[]) {
    this.#client = client;
    this.#pods = new Informer({
      client,
      path: `/api/v1/namespaces/${serverNamespace}/pods`,
      labelSelector: 'app.kubernetes.io/name=internal-dns',
      transform: serverPodOf,
      onChange: (key) => this.#readLogsOf(key),
      backoff: { leastMs: retryMs, mostMs: retryMs },
    });
    const declared = `/api/v1/namespaces/${serverNamespace}/configmaps`;
    this.#informers = [...served, declared].map((path) => {
      const kind = path.split('/').at(-1) as string;
      // A change of a report causes no write.
      const transform = ({ metadata, spec, status, data }: KubernetesObject) =>
        metadata.name.endsWith('-status') && path === declared
          ? undefined
          : { spec, status, data, labels: metadata.labels, annotations: metadata.annotations };
      const informer = new Informer<ReturnType<typeof transform> & object>({
        client,
        path,
        transform,
        onChange: (key) => {
          const instance = path === declared ? informer.store.get(key)?.labels?.[instanceLabel] : undefined;
          const namespace = path === declared ? undefined : key.split('/').at(kind === 'namespaces' ? -1 : 0);
          this.#record({ what: `${kind} ${key}`, namespace, instance });
        },
        backoff: { leastMs: retryMs, mostMs: retryMs },
      });
      return informer;
    });
  }

  /** Resolves when all informers have synced. */
  static async start(client: Client): Promise<Watcher> {
    const ifServed = async (path: string) => {
      const isServed = await client.list(path, { query: { limit: 1 } }).then(
        () => true,
        (error) => !isApiError(error, 404) && Promise.reject(error),
      );
      return isServed ? [path] : [];
    };
    const watcher = new Watcher(client, [...discovered, ...(await Promise.all(optional.map(ifServed))).flat()]);
    while (![watcher.#pods, ...watcher.#informers].every(({ hasSynced }) => hasSynced)) await sleep(20);
    return watcher;
  }

  stop(): void {
    this.#stop.abort();
    for (const informer of [this.#pods, ...this.#informers]) informer.stop();
  }

  recordDisturbance({ instance, from, to }: Disturbance): void {
    this.#changes.push({ from, to, what: 'what the test did in its pod', instance });
  }

  #record(change: Pick<Recorded, 'what' | 'namespace' | 'instance'>): void {
    const now = Date.now();
    this.#changes.push({ from: now, to: now, ...change });
  }

  /**
   * Resolves when every ExternalDNS of an instance has begun and completed a loop without changes after this call; after
   * `seconds` to the writes since then.
   */
  async anotherLoop(instance: string, seconds = waitSeconds): Promise<string[] | undefined> {
    const since = Date.now();
    const hasCompleted = () => {
      const pods = [...this.#pods.store].filter(([, pod]) => pod.instance === instance && !pod.isTerminating);
      const running = pods.flatMap(([key, { containers }]) =>
        Object.keys(containers)
          .filter(isExternalDNS)
          .map((container) => this.#logs.get(key)?.loops[container] ?? []),
      );
      // The first may have begun before the call.
      return running.length > 0 && running.every((loops) => loops.filter((loop) => loop > since).length >= 2);
    };
    while (!this.#stop.signal.aborted && !hasCompleted()) {
      if (Date.now() - since > seconds * 1000) return this.#writesOf(instance, since);
      await sleep(50);
    }
    return undefined;
  }

  #writesOf(instance: string, since: number): string[] {
    const logs = [...this.#logs.values()].filter((log) => log.instance === instance);
    return logs.flatMap(({ writes }) => writes.filter(({ at }) => at > since).map(({ what }) => what));
  }

  /** Returns the writes without a cause, of the scope or of all instances. */
  findings(scope?: Scope): string[] {
    const logs = [...this.#logs.values()].filter(({ instance }) => !scope || scope.instances.includes(instance));
    return logs.flatMap((log) => {
      const matters = ({ namespace, instance = log.instance }: Recorded) =>
        instance === log.instance && (!scope || namespace === undefined || scope.namespaces.includes(namespace));
      return writesWithoutCause(log, this.#changes.filter(matters));
    });
  }

  #readLogsOf(key: string): void {
    const pod = this.#pods.store.get(key);
    for (const [container, id] of Object.entries(pod?.containers ?? {})) {
      if (this.#readContainers.has(id)) continue;
      this.#readContainers.add(id);
      const log = this.#logOf(key, (pod as ServerPod).instance);
      log.starts.push(Date.now());
      if (container === 'agent' || isExternalDNS(container)) void this.#read(key, container, id, log);
    }
  }

  #logOf(key: string, instance: string): Log {
    const known = this.#logs.get(key);
    if (known) return known;
    const log: Log = { pod: key.split('/').at(-1) as string, instance, starts: [], loops: {}, writes: [] };
    this.#logs.set(key, log);
    return log;
  }

  /** Reads the log of a container until it ends. Lines that are repeated after a reconnect count once. */
  async #read(key: string, container: string, id: string, log: Log): Promise<void> {
    const [namespace, pod] = key.split('/');
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
    let last = '';
    const isRunning = () => this.#pods.store.get(key)?.containers[container] === id;
    do {
      try {
        const sinceTime = last.split('.')[0];
        const query = { container, follow: true, timestamps: true, ...(sinceTime && { sinceTime: `${sinceTime}Z` }) };
        for await (const line of await this.#client.lines(path, { query, signal: this.#stop.signal })) {
          const time = line.slice(0, line.indexOf(' '));
          if (time <= last) continue;
          last = time;
          parseLine(log, container, Date.parse(time), line.slice(time.length + 1));
        }
      } catch {
        // The container or the API server is gone; the pod store shows which.
      }
      await sleep(retryMs);
    } while (!this.#stop.signal.aborted && isRunning());
  }
}

const retryMs = 200;
const isExternalDNS = (container: string) => container.startsWith('external-dns');

function parseLine({ loops, writes }: Log, container: string, at: number, line: string): void {
  if (isExternalDNS(container)) {
    loops[container] ??= [];
    if (line.includes('All records are already up to date')) loops[container].push(at);
  } else if (/"msg":"(apply discovered records|(create|change|remove) zone)"/.test(line)) {
    const { msg, zone } = JSON.parse(line);
    writes.push({ at, what: `${msg} ${zone}` });
  }
}

function serverPodOf({ metadata, status }: KubernetesObject): ServerPod {
  const statuses: { name: string; containerID?: string; state: object }[] = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ];
  const running = statuses.filter(({ state }) => 'running' in state);
  return {
    instance: metadata.labels?.[instanceLabel] ?? '',
    isTerminating: metadata.deletionTimestamp !== undefined,
    containers: Object.fromEntries(running.map(({ name, containerID = '' }) => [name, containerID])),
  };
}

/** Serves the watcher to the test files of a run, on a free port of the loopback address. */
export async function serveWatcher(watcher: Watcher): Promise<{ url: string; server: Server }> {
  const server = createServer(async (request, response) => {
    const body = await json(request);
    const answers: Record<string, () => unknown> = {
      '/another-loop': () => watcher.anotherLoop(body as string),
      '/disturbance': () => watcher.recordDisturbance(body as Disturbance),
      '/findings': () => watcher.findings(body as Scope),
    };
    response.end(JSON.stringify((await answers[request.url ?? '']?.()) ?? null));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
