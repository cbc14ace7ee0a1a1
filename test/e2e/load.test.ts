import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { breakerOpens, breakerTokens } from './cluster/crossplane.ts';
import { figure } from './cluster/figures.ts';
import {
  apply,
  applyLarge,
  get,
  kubectl,
  list,
  patch,
  until,
  waitForQuiescence,
  waitForReady,
} from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { internalDNS, target } from './cluster/objects.ts';
import { usageIn } from './cluster/pod.ts';
import { statusAddress, tableAt } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'load.internal';
const address = '192.0.2.1';
const few = 60;
const many = 5_000;

/** What the agent takes at 5,000 names, and whether telling of them costs Crossplane its patience. */
scenario('load', ({ shop, ingress, owns }) => {
  let client: Client;
  let page: string;
  /** With an address of its own, so that no controller goes on writing to thousands of them. */
  const fixed = (name: string) =>
    ingress({ name, hosts: [`${name}.${zone}`], annotations: { [target]: address, 'lab/no-address': '1' } });

  const agent = async () => (await usageIn('idns-load-0')).find(({ name }) => name === 'agent')!;

  async function eventsLeft(): Promise<number> {
    const metrics = await (await fetch(`${page}/metrics`)).text();
    return Number(/^internal_dns_events_waiting (\d+)/m.exec(metrics)?.[1]);
  }

  test('one Ingress a second takes fewer tokens than the breaker gets, and an edit is followed at once', async () => {
    await apply(
      internalDNS(owns('load'), {
        zones: [{ name: zone }],
        discovery: { sources: [{ kind: 'Ingress' }], maxNamesPerNamespace: 10_000 },
      }),
    );
    await waitForReady('load');
    await waitForQuiescence('load');
    [client, page] = [await clientOf('load'), await statusAddress('load')];
    const [tokens, opens, start] = [await breakerTokens(), await breakerOpens(), performance.now()];
    for (let n = 0; n < few; n++) {
      await apply(fixed(`each-${n}`));
      await sleep(Math.max(0, start + (n + 1) * 1000 - performance.now()));
    }
    const pace = ((await breakerTokens()) - tokens) / ((performance.now() - start) / 1000);
    figure('one Ingress a second: tokens of the breaker a second', pace, '');
    expect(pace).toBeLessThan(1);
    expect((await breakerOpens()) - opens, 'the breaker stays closed').toBe(0);
    const edited = performance.now();
    await patch('internaldns', 'load', { spec: { zones: [{ name: zone }, { name: 'second.load.internal' }] } });
    await client.becomes('second.load.internal', 'NOERROR');
    figure('after that: edit of the composite -> answered', (performance.now() - edited) / 1000);
    await client.becomes(`each-${few - 1}.${zone}`, address);
    await until('the status counts them', async () => {
      const { namesResolved } = (await get('internaldns', 'load')).status;
      return namesResolved === `${few}/${few}` || namesResolved;
    });
  });

  test('5,000 Ingresses: what the agent takes', async () => {
    const names = Array.from({ length: many - few }, (_, index) => `host-${index}`);
    const start = performance.now();
    for (let n = 0; n < names.length; n += 494) await applyLarge(...names.slice(n, n + 494).map(fixed));
    await until('all resolve', async () => {
      const { total, resolved } = await tableAt(page, 'no-such-name');
      return (total === many && resolved === many) || { total, resolved };
    });
    figure('5,000 Ingresses applied -> all Resolved', (performance.now() - start) / 1000);
    await anotherLoop('load');
    // Events go out at a measured pace: it is at rest when they have.
    await waitForQuiescence('load');
    await until('the Events are out', async () => (await eventsLeft()) === 0 || (await eventsLeft()), 2_000);
    const before = await agent();
    await sleep(30_000);
    const after = await agent();
    const share = (after.cpuSeconds - before.cpuSeconds) / (after.at - before.at);
    figure('agent with 5,000 names', `${after.mebibytes.toFixed(0)} MiB, ${(share * 100).toFixed(1)} % of a core`, '');
    expect(after.mebibytes).toBeLessThan(150);
    const { namesResolved } = (await get('internaldns', 'load')).status;
    expect(namesResolved).toBe(`${many}/${many}`);
  });

  // Thousands in one request, which the API server may end after a minute, and a namespace is not gone before its objects.
  afterAll(async () => {
    await kubectl('delete', '--raw', `/apis/networking.k8s.io/v1/namespaces/${shop}/ingresses`);
    await until('the Events are gone', async () => {
      await kubectl('delete', '--raw', `/api/v1/namespaces/${shop}/events`);
      return (await list('events', '-n', shop)).length === 0;
    });
  });
});
