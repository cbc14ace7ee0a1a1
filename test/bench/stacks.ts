/** The two stacks to compare in a cluster: an InternalDNS, and the same set up by hand. */
import { join } from 'node:path';
import { apply, get, kubectl, list, remove, until, waitForReady } from '../e2e/cluster/kubectl.ts';
import { type Client, clientAt } from '../e2e/cluster/names.ts';
import { internalDNS } from '../e2e/cluster/objects.ts';
import { idlePod, type Usage } from './idle-pod.ts';

/** Who answers for the hosts of Ingresses in a zone. */
export interface Contender {
  /** Its column in the tables. */
  title: string;
  zone: string;
  client(): Promise<Client>;
  /** What it takes while nothing changes: all of it first, then its parts. */
  idle(): Promise<[Usage, ...Usage[]]>;
}

export interface Stack extends Contender {
  namespace: string;
  /** Of its pod. */
  selector: string;
  /** Its DNS Service. */
  service: string;
  apply(): Promise<unknown>;
  /** Resolves when the cluster reports it as ready. */
  ready(): Promise<unknown>;
  /** Resolves when all of its objects are gone. */
  remove(): Promise<void>;
}

const file = join(import.meta.dirname, 'by-hand.yaml');

const ours: Stack = {
  title: 'InternalDNS',
  client: () => clientTo(ours),
  idle: () => idlePod(ours),
  zone: 'bench.internal',
  namespace: 'internal-dns',
  selector: 'app.kubernetes.io/instance=bench',
  service: 'idns-bench',
  // All hosts are in one namespace, and are deleted at once, which the delete guard would hold.
  apply: () =>
    apply(
      internalDNS('bench', {
        zones: [{ name: 'bench.internal' }],
        discovery: { deleteGuard: { percent: 100 }, maxNamesPerNamespace: 10_000 },
      }),
    ),
  ready: () => waitForReady('bench'),
  async remove() {
    await remove('internaldns', 'bench');
    await gone(ours);
  },
};

const byHand: Stack = {
  title: 'by hand',
  client: () => clientTo(byHand),
  idle: () => idlePod(byHand),
  zone: 'hand.internal',
  namespace: 'bench-by-hand',
  selector: 'app=by-hand',
  service: 'by-hand',
  apply: () => kubectl('apply', '-f', file),
  ready: () => kubectl('-n', byHand.namespace, 'rollout', 'status', 'statefulset/by-hand', '--timeout=120s'),
  async remove() {
    await kubectl('delete', '--ignore-not-found', '-f', file);
    await gone(byHand);
  },
};

export const stacks = [ours, byHand] as const;

async function gone({ namespace, selector, service }: Stack): Promise<void> {
  await until(`the pods and PVCs of ${service} are gone`, async () => {
    const pods = await list('pod', { namespace, labels: selector });
    const volumeClaims = await list('persistentvolumeclaim', { namespace });
    const left = [...pods, ...volumeClaims]
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.includes(service));
    return left.length === 0 || left;
  });
}

/** A client of its DNS Service, which must exist. */
async function clientTo({ service, namespace }: Stack): Promise<Client> {
  return clientAt((await get('service', service, namespace)).spec.clusterIP);
}
