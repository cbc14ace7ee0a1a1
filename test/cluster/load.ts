import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { breakerTokens, opensOfBreaker } from './breaker.ts';
import { figure } from './figures.ts';
import { apply, applyLarge, get, kubectl, list, patch, remove, settle, until, waitForNew } from './kubectl.ts';
import { type Client, clientOf, quiet } from './names.ts';
import { ingress, internalDNS, shop, target } from './objects.ts';
import { statusAddress, tableAt } from './telling.ts';

const zone = 'load.internal';
const address = '192.0.2.1';

/** With an address of its own, so that no controller goes on writing to thousands of them. */
const fixed = (name: string) =>
  ingress({ name, hosts: [`${name}.${zone}`], annotations: { [target]: address, 'lab/no-address': '1' } });

let streaming: Promise<{ tokens: number; opens: number; seconds: number }> | undefined;

/** One Ingress a second for five minutes: other scenarios go on meanwhile. */
export function stream(): void {
  test('one Ingress a second begins', async () => {
    await apply(
      internalDNS('load', {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], maxNamesPerNamespace: 10_000 },
      }),
    );
    await waitForNew('load');
    streaming = applyOneASecond(300);
    // Whoever waits for it hears of a failure.
    streaming.catch(() => undefined);
  });
}

async function applyOneASecond(count: number) {
  const [tokens, opens, start] = [await breakerTokens(), await opensOfBreaker(), performance.now()];
  for (let n = 0; n < count; n++) {
    await apply(fixed(`each-${n}`));
    await sleep(Math.max(0, start + (n + 1) * 1000 - performance.now()));
  }
  return {
    tokens: (await breakerTokens()) - tokens,
    opens: (await opensOfBreaker()) - opens,
    seconds: (performance.now() - start) / 1000,
  };
}

/** What the agent takes at 5,000 names, and whether telling of them costs Crossplane its patience. */
export function load(): void {
  let client: Client;
  let page: string;
  const removeAll = () => kubectl('delete', '--raw', `/apis/networking.k8s.io/v1/namespaces/${shop}/ingresses`);

  /** Of a container of the pod: MiB, and seconds of CPU since its start. */
  async function usageOf(container: string): Promise<{ mebibytes: number; cpuSeconds: number; at: number }> {
    const [node] = await list('node');
    const path = `/api/v1/nodes/${node?.metadata.name}/proxy/stats/summary?only_cpu_and_memory=true`;
    const { pods } = JSON.parse(await kubectl('get', '--raw', path));
    const pod = pods.find((p: { podRef: { name: string } }) => p.podRef.name === 'idns-load-0');
    const { cpu, memory } = pod.containers.find(({ name }: { name: string }) => name === container);
    return {
      mebibytes: memory.workingSetBytes / 2 ** 20,
      cpuSeconds: cpu.usageCoreNanoSeconds / 1e9,
      at: Date.parse(cpu.time) / 1000,
    };
  }

  test('one Ingress a second for five minutes leaves the breaker closed, and an edit is followed at once', {
    timeout: 480_000,
  }, async () => {
    [client, page] = [await clientOf('load'), await statusAddress('load')];
    const { tokens, opens, seconds } = await streaming!;
    expect(opens, 'the breaker stays closed').toBe(0);
    figure('one Ingress a second: tokens of the breaker, a second, of all instances', tokens / seconds, '');
    const edited = performance.now();
    await patch('internaldns', 'load', { spec: { zones: [{ name: zone }, { name: 'second.load.internal' }] } });
    await client.becomes('second.load.internal', 'NOERROR', 10);
    figure('after that: edit of the composite -> answered', (performance.now() - edited) / 1000);
    await client.becomes(`each-299.${zone}`, address, 15);
    await until('the status counts them', 30, async () => {
      const { namesResolved } = (await get('internaldns', 'load')).status;
      return namesResolved === '300/300' || namesResolved;
    });
  });

  test('5,000 Ingresses: what the agent takes', { timeout: 900_000 }, async () => {
    const names = Array.from({ length: 4_700 }, (_, index) => `host-${index}`);
    const start = performance.now();
    for (let n = 0; n < names.length; n += 470) await applyLarge(...names.slice(n, n + 470).map(fixed));
    await until('all resolve', 240, async () => {
      const { total, resolved } = await tableAt(page, 'no-such-name');
      return (total === 5_000 && resolved === 5_000) || { total, resolved };
    });
    figure('5,000 Ingresses applied -> all Resolved', (performance.now() - start) / 1000);
    await quiet('load');
    // Events go out at a measured pace: it is at rest when they have.
    await settle('load');
    await until('the Events are out', 600, async () => (await eventsLeft()) === 0 || (await eventsLeft()), 2_000);
    const before = await usageOf('agent');
    await sleep(60_000);
    const after = await usageOf('agent');
    const share = (after.cpuSeconds - before.cpuSeconds) / (after.at - before.at);
    figure('agent with 5,000 names', `${after.mebibytes.toFixed(0)} MiB, ${(share * 100).toFixed(1)} % of a core`, '');
    expect(after.mebibytes).toBeLessThan(150);
    expect(share).toBeLessThan(0.05);
    const { namesResolved } = (await get('internaldns', 'load')).status;
    expect(namesResolved).toBe('5000/5000');
  });

  async function eventsLeft(): Promise<number> {
    const metrics = await (await fetch(`${page}/metrics`)).text();
    return Number(/^internal_dns_events_waiting (\d+)/m.exec(metrics)?.[1]);
  }

  test('everything is put away', async () => {
    await remove('internaldns', 'load');
    await removeAll();
    // Thousands in one request, which the API server may end after a minute.
    await until('the Events are gone', 280, async () => {
      await kubectl('delete', '--raw', `/api/v1/namespaces/${shop}/events`);
      return (await list('events', '-n', shop)).length === 0;
    });
  });
}
