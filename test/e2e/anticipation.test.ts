import { expect, test } from 'vitest';
import { isApiError } from '../../functions/agent/kubernetes/status.ts';
import { discoverable } from '../../functions/contract/declaration.ts';
import {
  change,
  type GeneratedObject,
  type GenerateOptions,
  generate,
  generateGateways,
} from '../agent/sources/generated/objects.ts';
import { randomFrom } from '../agent/sources/generated/random.ts';
import { deleteAt, objectPathOf } from './cluster/api.ts';
import { figure } from './cluster/figures.ts';
import { apply, clusterClient, patch, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { statusAddress, tableAt } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

/** Any other is worth a try, too. */
const seed = Number(process.env.SEED ?? 466_406);
const domain = 'anticipated.internal';
const count = 2_000;
/** Without TCPRoute and UDPRoute: ExternalDNS reads v1alpha2, which Gateway API 1.6 no longer serves. */
const kinds = ['Ingress', 'Service', 'HTTPRoute', 'GRPCRoute', 'TLSRoute', 'DNSEndpoint'] as const;
/** Requests at a time. */
const parallel = 16;
/** An API server that refuses more says that they are not what users have. */
const mostRefused = count / 4;

/** Objects of every kind that the agent reads come, change and go, while the real ExternalDNS has the last word. */
scenario('anticipation', ({ shop, market, internalDNS }) => {
  const random = randomFrom(seed);
  const options: GenerateOptions = { domain, hosts: count / 4, namespaces: [shop, market], kinds };
  const objects = new Map<string, GeneratedObject>();
  let page: string;

  test('of 2,000 generated objects that are created, ExternalDNS asks for nothing else', async () => {
    console.log(`SEED=${seed} generates the same objects`);
    await apply(
      internalDNS('anticipated', {
        zones: [{ name: domain }],
        resources: { agent: { limits: { memory: '512Mi' } }, externalDNS: { limits: { memory: '512Mi' } } },
        discovery: {
          interval: '2s',
          sources: kinds.map((kind) => ({ kind })),
          recordTypes: [...discoverable],
          deleteGuard: { percent: 100 },
          maxNamesPerNamespace: 10_000,
        },
      }),
    );
    await waitForReady('anticipated');
    page = await statusAddress('anticipated');
    const made = Array.from({ length: count }, (_, index) => generate(random, index, options));
    await untilConfirmed(() => putAll([...generateGateways(random, options), ...made], 'created'));
    await expectNoDifference('created');
    const { resolved } = await tableAt(page, 'no-such-name');
    expect(resolved).toBeGreaterThan(count / 20);
  });

  test('nor of those that change', async () => {
    const changed = [...objects.values()].map((each) => change(each, random, options));
    await untilConfirmed(() => putAll(changed, 'changed'));
    await expectNoDifference('changed');
  });

  test('nor when Gateways change', async () => {
    await untilConfirmed(() => putAll(generateGateways(random, options), 'Gateways changed'));
    await expectNoDifference('Gateways changed');
  });

  test('nor of those that are deleted while others change', async () => {
    const all = [...objects.values()];
    const [gone, kept] = [all.filter((_, index) => index % 2 === 0), all.filter((_, index) => index % 2 === 1)];
    const changed = kept.map((each) => change(each, random, options));
    await untilConfirmed(async () => {
      const deletion = inParallel(gone, async (each) => void (await deleteAt(await objectPathOf(each))));
      await putAll(changed, 'changed while others are deleted');
      await deletion;
    });
    await expectNoDifference('deleted');
  });

  /** So many changes reach a busy agent seconds later than the watcher of writes without a cause. */
  const untilConfirmed = (work: () => Promise<void>) =>
    withDisturbance('anticipated', async () => {
      await work();
      await anotherLoop('anticipated');
    });

  async function putAll(all: readonly GeneratedObject[], what: string): Promise<void> {
    const start = performance.now();
    const refused: string[] = [];
    await inParallel(all, async (object) => {
      const why = await put(object);
      if (why !== undefined) refused.push(`${object.kind} ${object.metadata.name}: ${why}`);
      else if (object.kind !== 'Gateway' && object.kind !== 'Namespace') objects.set(object.metadata.name, object);
    });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    figure(
      `generated objects ${what}`,
      `${all.length} in ${seconds} s, of which the API server refused ${refused.length}`,
      '',
    );
    expect(refused.length, refused.slice(0, 5).join('\n')).toBeLessThan(mostRefused);
  }

  async function expectNoDifference(what: string): Promise<void> {
    // What two loops do not confirm is a difference.
    await anotherLoop('anticipated');
    const [differences, suspended] = await Promise.all([
      valuesOf('internal_dns_anticipation_differences_total'),
      valuesOf('internal_dns_anticipation_suspended'),
    ]);
    expect(differences.size).toBeGreaterThan(0);
    figure(`generated objects ${what}: differences`, sum(differences), '');
    expect(nonZero(differences), `SEED=${seed}`).toEqual({});
    expect(nonZero(suspended)).toEqual({});
  }

  /** By kind. */
  async function valuesOf(metric: string): Promise<Map<string, number>> {
    const text = await (await fetch(`${page}/metrics`)).text();
    const lines = text.matchAll(new RegExp(`^${metric}\\{[^}]*kind="(\\w+)"[^}]*\\} (\\d+)`, 'gm'));
    return new Map([...lines].map(([, kind, value]) => [kind as string, Number(value)]));
  }
});

const sum = (values: Map<string, number>) => [...values.values()].reduce((total, each) => total + each, 0);
const nonZero = (values: Map<string, number>) => Object.fromEntries([...values].filter(([, value]) => value !== 0));

/** Applies an object, and its status as its controller would. Returns why the API server refuses it. */
async function put({ status, ...object }: GeneratedObject): Promise<string | undefined> {
  const { name, labels } = object.metadata;
  if (object.kind === 'Namespace') {
    await patch('namespace', name, { metadata: { labels } });
    return undefined;
  }
  const path = await objectPathOf(object);
  const client = await clusterClient();
  try {
    await client.apply(path, acceptable(object), { fieldManager: 'kubectl' });
    if (status) await client.mergePatch(`${path}/status`, { status });
    return undefined;
  } catch (error) {
    if (isApiError(error, 400, 409, 422)) return (error as Error).message;
    throw error;
  }
}

/** Without what the API server assigns, and such that no controller writes its status. */
function acceptable({ metadata, spec, ...object }: Omit<GeneratedObject, 'status'>): object {
  const { uid: _, creationTimestamp: __, annotations, ...rest } = metadata;
  const { clusterIP, ports, ...others } = spec as { clusterIP?: string; ports?: { nodePort?: number }[] };
  return {
    ...object,
    metadata: { ...rest, annotations: { ...annotations, 'lab/no-address': '1' } },
    spec: {
      ...others,
      ...(clusterIP === 'None' && { clusterIP }),
      ...(ports && { ports: ports.map(({ nodePort: _, ...port }) => port) }),
    },
  };
}

async function inParallel<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
