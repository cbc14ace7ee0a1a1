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

/** The cost of 5,000 names for the agent, and of their reports for Crossplane's circuit breaker. */
scenario('load', ({ shop, ingress, owns }) => {
  let client: Client;
  let page: string;
  /** With a target, so that no controller writes to thousands of them. */
  const fixed = (name: string) =>
    ingress({ name, hosts: [`${name}.${zone}`], annotations: { [target]: address, 'lab/no-address': '1' } });

  const agent = async () => (await usageIn('idns-load-0')).find(({ name }) => name === 'agent')!;

  async function unpublishedEvents(): Promise<number> {
    const metrics = await (await fetch(`${page}/metrics`)).text();
    return Number(/^internal_dns_events_waiting (\d+)/m.exec(metrics)?.[1]);
  }

  test('one Ingress a second takes fewer tokens than are refilled, and an edit is reconciled at once', async () => {
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
    const rate = ((await breakerTokens()) - tokens) / ((performance.now() - start) / 1000);
    figure("one Ingress a second for a minute: tokens of Crossplane's circuit breaker used per second", rate, '');
    expect(rate).toBeLessThan(1);
    expect((await breakerOpens()) - opens, 'the breaker stays closed').toBe(0);
    const edited = performance.now();
    await patch('internaldns', 'load', { spec: { zones: [{ name: zone }, { name: 'second.load.internal' }] } });
    await client.becomes('second.load.internal', 'NOERROR');
    figure('then the composite edited -> answered', (performance.now() - edited) / 1000);
    await client.becomes(`each-${few - 1}.${zone}`, address);
    await until('the status counts all names as resolved', async () => {
      const { namesResolved } = (await get('internaldns', 'load')).status;
      return namesResolved === `${few}/${few}` || namesResolved;
    });
  });

  test('5,000 Ingresses all resolve, and the idle agent takes less than 150 MiB', async () => {
    const names = Array.from({ length: many - few }, (_, index) => `host-${index}`);
    const start = performance.now();
    for (let n = 0; n < names.length; n += 494) await applyLarge(...names.slice(n, n + 494).map(fixed));
    await until('all resolve', async () => {
      const { total, resolved } = await tableAt(page, 'no-such-name');
      return (total === many && resolved === many) || { total, resolved };
    });
    figure('5,000 Ingresses applied -> all Resolved', (performance.now() - start) / 1000);
    await anotherLoop('load');
    // Events are rate limited: the agent is idle once all are published.
    await waitForQuiescence('load');
    await until(
      'all Events are published',
      async () => (await unpublishedEvents()) === 0 || (await unpublishedEvents()),
      { every: 2_000 },
    );
    const before = await agent();
    await sleep(30_000);
    const after = await agent();
    const cores = (after.cpuSeconds - before.cpuSeconds) / (after.at - before.at);
    figure(
      'the idle agent with 5,000 names',
      `${after.mebibytes.toFixed(0)} MiB, ${(cores * 100).toFixed(1)} % of a core`,
      '',
    );
    expect(after.mebibytes).toBeLessThan(150);
    const { namesResolved } = (await get('internaldns', 'load')).status;
    expect(namesResolved).toBe(`${many}/${many}`);
  });

  // Deletes thousands in one request: the API server may end it after a minute, and a namespace outlives its objects.
  afterAll(async () => {
    await kubectl('delete', '--raw', `/apis/networking.k8s.io/v1/namespaces/${shop}/ingresses`);
    await until('the Events are gone', async () => {
      await kubectl('delete', '--raw', `/api/v1/namespaces/${shop}/events`);
      return (await list('event', { namespace: shop })).length === 0;
    });
  });
});
