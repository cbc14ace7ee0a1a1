/** Measures an InternalDNS in the cluster of KUBECONFIG, next to the same setup by hand. */
import { apply, kubectl, remove, until } from '../e2e/cluster/kubectl.ts';
import { benchCreation } from './creation.ts';
import { benchHosts, type HostsResult } from './hosts.ts';
import { idlePod, type Usage } from './idle-pod.ts';
import { startK8sGateway } from './k8s-gateway.ts';
import { benchLatency } from './latency.ts';
import { type Contender, type Stack, stacks } from './stacks.ts';
import { mebibytes, printTable, seconds } from './table.ts';

const shop = 'bench-shop';
const namespaces = [shop, ...stacks.map(({ namespace }) => namespace).filter((name) => name.startsWith('bench-'))];
const sizes = [10, 100, 1_000, 5_000];
const functionPod = {
  namespace: 'crossplane-system',
  selector: 'pkg.crossplane.io/function=internal-dns-cdk8s-function-xp',
};

/** Why the cluster cannot be used; undefined if it can. */
export async function clusterError(): Promise<string | undefined> {
  try {
    await kubectl('get', 'crd', 'internaldnses.dns.internal', '--request-timeout=5s');
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n').at(-1);
  }
}

/** Measures, prints the tables and cleans up. */
export async function benchCluster(): Promise<void> {
  // An earlier run may have been killed.
  await cleanUp();
  const gateway = await startK8sGateway();
  if (!gateway) console.log('\nk8s_gateway is left out, as it is not on the PATH');
  try {
    for (const name of namespaces) await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await benchCreation();
    for (const stack of stacks) await start(stack);
    await benchLatency([...stacks, ...(gateway ? [gateway] : [])], shop);
    for (const { remove } of stacks) await remove();
    const results: [Contender, HostsResult][] = [];
    // One after the other: the hosts of one stack would cost the other CPU time.
    for (const stack of stacks) {
      await start(stack);
      for (const hosts of sizes) results.push([stack, await benchHosts(stack, hosts, shop)]);
      await stack.remove();
    }
    for (const hosts of gateway ? sizes : []) results.push([gateway!, await benchHosts(gateway!, hosts, shop)]);
    printHosts(results);
    printFunction(await idlePod(functionPod));
  } finally {
    await gateway?.stop();
    await cleanUp();
  }
}

async function cleanUp(): Promise<void> {
  await remove('namespace', shop);
  for (const { remove } of stacks) await remove();
  for (const name of namespaces) await remove('namespace', name);
}

async function start(stack: Stack): Promise<void> {
  await stack.apply();
  await stack.ready();
  await until(`${stack.zone} is answered`, async () => {
    const { answers } = await (await stack.client()).ask(stack.zone, 'SOA');
    return answers.length > 0;
  });
}

function printHosts(results: [Contender, HostsResult][]): void {
  const titles = [...new Set(results.map(([{ title }]) => title))];
  printTable(
    'Hosts get their address -> all answered (s after the API server has returned)',
    ['hosts', ...titles, 'n'],
    sizes.map((size) => {
      const times = results.filter(([, { hosts }]) => hosts === size).map(([, { answeredIn }]) => seconds(answeredIn));
      return [size, ...times, 1];
    }),
  );
  printTable(
    'At rest (one minute, one after the other)',
    ['', 'container', 'hosts', 'working set MiB', 'CPU millicores', 'n'],
    results.flatMap(([{ title }, { hosts, usage }]) =>
      usage.map(({ name, memory, millicores }) => [title, name, hosts, mebibytes(memory), millicores.toFixed(1), 1]),
    ),
  );
}

function printFunction([{ memory, millicores }]: [Usage, ...Usage[]]): void {
  printTable(
    'One idle pod of the function (kubelet, one minute)',
    ['', 'working set MiB', 'CPU millicores', 'n'],
    [['function', mebibytes(memory), millicores.toFixed(1), 1]],
  );
}
