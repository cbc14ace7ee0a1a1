import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Verdict } from '../../functions/agent/verdict.ts';
import { untilBreakerRests } from './breaker.ts';
import { figure } from './figures.ts';
import { apply, condition, get, kubectl, patch, remove, settle, until, waitForNew, writeAddresses } from './kubectl.ts';
import { type Client, clientOf, quiet } from './names.ts';
import { hostname, ingress, internalDNS, shop, target } from './objects.ts';
import { pdnsutil } from './pod.ts';
import { eventsOn, problemsOf, statusAddress, tableAt, untilTold, watchEvents } from './telling.ts';

const zone = 'why.internal';
const pod = 'idns-why-0';
const at = (name: string) => `${name}.${zone}`;
const other = 'e2e-market';
/** Keeps the cluster's ingress controller away, where it is one that knows this. */
const noAddress = { 'lab/no-address': '1' };
const controller = 'external-dns.alpha.kubernetes.io/controller';

/** Every verdict on real objects, at the three places where people look, and how it turns. */
export function verdicts(): void {
  let client: Client;
  let page: string;
  const fixed = (name: string, host: string, more: object = {}) =>
    ingress({ name, hosts: [host], annotations: { [target]: '192.0.2.1' }, ...more });
  const annotate = (name: string, annotations: Record<string, string | null>) =>
    patch('ingress', name, { metadata: { annotations } }, shop);
  const stateOf = async (name: string, host: string, namespace = shop) =>
    (await tableAt(page, host)).names.find(({ resource }) => resource === `ingress/${namespace}/${name}`);

  /** Waits until the table, an Event on the object and the composite's status all say it. */
  async function isTold(verdict: Verdict, name: string, host: string, message: RegExp, namespace = shop) {
    await until(`the table says that ${host} is ${verdict}`, 30, async () => {
      const state = await stateOf(name, host, namespace);
      return (state?.verdict === verdict && message.test(state.message)) || state;
    });
    await until(`an Event says that ${host} is ${verdict}`, 30, async () => {
      const events = await eventsOn('why', 'ingress', name, namespace);
      return events.some((event) => event.startsWith(`${verdict}: ${host}: `) && message.test(event)) || events;
    });
    await untilTold('why', { name: host, resource: `ingress/${namespace}/${name}`, verdict, message });
  }

  /** Waits until a name answers, and the table and an Event say so. */
  async function turns(name: string, host: string, answer: string, namespace = shop) {
    const start = performance.now();
    await until(`the table says that ${host} resolves`, 30, async () => {
      const state = await stateOf(name, host, namespace);
      return (state?.verdict === 'Resolved' && state.message.includes(answer)) || state;
    });
    figure(`${host}: cause removed -> Resolved`, (performance.now() - start) / 1000);
    expect(await client.answer(host)).toBe(answer);
    await until(`an Event says that ${host} resolves`, 30, async () => {
      const events = await eventsOn('why', 'ingress', name, namespace);
      return events.some((event) => event.startsWith(`Resolved: ${host} resolves to ${answer}`)) || events;
    });
    await until(`the status has no problem with ${host}`, 30, async () => {
      const problems = await problemsOf('why');
      return !problems.some((p) => p.name === host && p.resource === `ingress/${namespace}/${name}`) || problems;
    });
  }

  test('a new name is pending and then resolves, and people see it where they look', async () => {
    const declared = [{ name: 'declared', type: 'A', values: ['192.0.2.80'] }];
    await apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } },
      internalDNS('why', {
        zones: [{ name: zone, records: declared }],
        discovery: { sources: [{ kind: 'Ingress' }], deleteGuard: { hold: '1h', percent: 10 } },
      }),
    );
    await waitForNew('why');
    [client, page] = [await clientOf('why'), await statusAddress('why')];
    // It is pending for some seconds only, and kubectl may take as long to return.
    const pending = until('the name is pending', 30, async () => {
      const state = await stateOf('slow', at('slow'));
      return state?.verdict === 'Pending' || state;
    });
    await Promise.all([pending, apply(ingress({ name: 'slow', hosts: [at('slow')], annotations: noAddress }))]);
    await apply(fixed('fine', at('fine')));
    await turns('fine', at('fine'), '192.0.2.1');
    const described = await kubectl('-n', shop, 'describe', 'ingress', 'fine');
    expect(described).toMatch(/Normal\s+Resolved\s+\S+\s+internal-dns\s+fine\.why\.internal resolves to 192\.0\.2\.1/);
  });

  test('NoAddress', async () => {
    await isTold('NoAddress', 'slow', at('slow'), /its controller has written none/);
    const { status, reason, message } = await condition('why', 'Resolvable');
    expect({ status, reason }).toEqual({ status: 'False', reason: 'NoAddress' });
    expect(message).toContain(`${at('slow')} (ingress/${shop}/slow)`);
    expect((await condition('why', 'Ready')).status, 'one object is not the whole server').toBe('True');
    await writeAddresses('slow', '192.0.2.2');
    await turns('slow', at('slow'), '192.0.2.2');
    await until('the condition says so', 30, async () => {
      const { status, reason } = await condition('why', 'Resolvable');
      return status === 'True' || { status, reason };
    });
  });

  test('OutsideZones', async () => {
    await apply(fixed('typo', 'typo.whi.internal'));
    await isTold('OutsideZones', 'typo', 'typo.whi.internal', /outside the zone why\.internal/);
    await apply(fixed('typo', at('typo')));
    await turns('typo', at('typo'), '192.0.2.1');
  });

  test('Filtered', async () => {
    await apply(fixed('left', at('left'), { annotations: { [target]: '192.0.2.1', [controller]: 'another' } }));
    await isTold('Filtered', 'left', at('left'), /controller/);
    await annotate('left', { [controller]: null });
    await turns('left', at('left'), '192.0.2.1');
  });

  test('Duplicate', async () => {
    await apply(fixed('first', at('wanted')));
    await turns('first', at('wanted'), '192.0.2.1');
    const second = { namespace: other, annotations: { [target]: '192.0.2.3' } };
    await apply(fixed('second', at('wanted'), second));
    await isTold(
      'Duplicate',
      'second',
      at('wanted'),
      new RegExp(`ingress/${shop}/first has the name already, as it answers there already`),
      other,
    );
    await remove('ingress', 'first', shop);
    await turns('second', at('wanted'), '192.0.2.3', other);
  });

  test('DeclaredElsewhere', async () => {
    await apply(fixed('declared', at('declared')));
    await isTold('DeclaredElsewhere', 'declared', at('declared'), /the InternalDNS declares A at this name/);
    await untilBreakerRests(25);
    await settle('why');
    await patch('internaldns', 'why', { spec: { zones: [{ name: zone }] } });
    await turns('declared', at('declared'), '192.0.2.1');
  });

  test('ForeignRecord', async () => {
    await pdnsutil(pod, 'rrset', 'add', zone, at('foreign'), 'A', '60', '192.0.2.81');
    await until('PowerDNS answers with it', 60, async () => {
      const seen = await client.answer(at('foreign'));
      return seen === '192.0.2.81' || seen;
    });
    await apply(fixed('foreign', at('foreign')));
    await isTold('ForeignRecord', 'foreign', at('foreign'), /somebody else's A record is at this name/);
    await pdnsutil(pod, 'rrset', 'delete', zone, at('foreign'), 'A');
    await turns('foreign', at('foreign'), '192.0.2.1');
  });

  test('Refused', async () => {
    await apply(
      ingress({ name: 'bad', hosts: [at('good')], annotations: { [target]: '192.0.2.1', [hostname]: at('b%d') } }),
    );
    await isTold('Refused', 'bad', at('b%d'), /is not a label of letters, digits and hyphens/);
    await annotate('bad', { [hostname]: at('bad') });
    await turns('bad', at('bad'), '192.0.2.1');
  });

  test('Held, and let go', async () => {
    const names = Array.from({ length: 14 }, (_, index) => `held-${index}`);
    await apply(...names.map((name) => ingress({ name, hosts: [at(name)], annotations: noAddress })));
    await Promise.all(names.map((name) => writeAddresses(name, '192.0.2.7')));
    for (const name of names) await client.becomes(at(name), '192.0.2.7');
    const last = names.pop() as string;
    await Promise.all(names.map((name) => writeAddresses(name)));
    await until('the guard holds', 30, async () => {
      const { reason } = await condition('why', 'DiscoveryReady');
      return reason === 'DeletesHeld' || reason;
    });
    await writeAddresses(last);
    await isTold(
      'Held',
      last,
      at(last),
      /it still resolves to 192\.0\.2\.7; to let it go: kubectl annotate internaldns why/,
    );
    await writeAddresses(last, '192.0.2.8');
    await turns(last, at(last), '192.0.2.8');
    await settle('why');
    await kubectl('annotate', 'internaldns', 'why', '--overwrite', `dns.internal/let-go=${new Date().toISOString()}`);
    for (const name of names) await client.becomes(at(name), 'NXDOMAIN', 30);
    await kubectl('-n', shop, 'delete', 'ingress', ...names, last);
  });

  test('a name that nobody asks for is told so', async () => {
    const { names, hint } = await tableAt(page, at('nobody'));
    expect(names).toEqual([]);
    expect(hint).toMatch(/why\.internal/);
  });

  test('hosts that are markup, and the longest one there is, break nothing', async () => {
    const markup = '<script>alert(1)</script>.why.internal';
    const label = 'a'.repeat(63);
    const long = `${label}.${label}.${label}.${'b'.repeat(253 - 3 * 64 - zone.length - 1)}.${zone}`;
    const annotations = { [target]: '192.0.2.1', [hostname]: markup };
    await apply(ingress({ name: 'odd', hosts: [long], annotations }));
    expect(long).toHaveLength(253);
    await turns('odd', long, '192.0.2.1');
    const html = await (await fetch(`${page}/?host=script`)).text();
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('&lt;script&gt;alert');
    expect((await tableAt(page, 'script')).names[0]?.verdict).toBe('Refused');
    await until('the status shows it', 30, async () =>
      /<script>alert/.test(await kubectl('describe', 'internaldns', 'why')),
    );
    await remove('ingress', 'odd', shop);
    await client.becomes(long, 'NXDOMAIN');
    await quiet('why');
  });

  test('nothing changes: no Event, no write of the status', async () => {
    // A report may wait for ten seconds, and Crossplane follows it.
    await quiet('why');
    await settle('why');
    const version = (await get('configmap', 'idns-why-status', 'internal-dns')).metadata.resourceVersion;
    const watch = watchEvents(shop);
    await quiet('why');
    watch.stop();
    expect(watch.seenAt('why.internal')).toBeUndefined();
    expect((await get('configmap', 'idns-why-status', 'internal-dns')).metadata.resourceVersion).toBe(version);
  });

  test('after a restart of the agent nothing is said twice', async () => {
    const before = await eventsOn('why', 'ingress', 'fine', shop);
    await kubectl('-n', 'internal-dns', 'delete', 'pod', pod);
    await until('the agent has judged again', 90, async () => {
      const { names } = await tableAt(page, at('fine'));
      return names[0]?.verdict === 'Resolved' || names;
    });
    await quiet('why');
    expect(await eventsOn('why', 'ingress', 'fine', shop)).toEqual(before);
  });

  test('object changed -> Event', async () => {
    const watch = watchEvents(shop, '--watch');
    const seconds: number[] = [];
    for (let n = 1; n <= 20; n++) {
      const address = `192.0.2.${100 + n}`;
      await apply(fixed(`timed-${n}`, at(`timed-${n}`), { annotations: { [target]: address } }));
      const start = performance.now();
      await until('the Event is seen', 30, async () => watch.seenAt(`resolves to ${address}`) !== undefined, 10);
      seconds.push(((watch.seenAt(`resolves to ${address}`) as number) - start) / 1000);
    }
    watch.stop();
    seconds.sort((a, b) => a - b);
    figure('object applied -> Event visible, p50', seconds[9] as number);
    figure('object applied -> Event visible, p95', seconds[18] as number);
    await kubectl('-n', shop, 'delete', 'ingress', ...Array.from({ length: 20 }, (_, n) => `timed-${n + 1}`));
  });

  test('what people type first is enough', async () => {
    const [header = '', line = ''] = (await kubectl('get', 'internaldns', 'why')).trim().split('\n');
    expect(header.trim().split(/\s+/)).toEqual([
      'NAME',
      'ZONES',
      'NAMES',
      'ADDRESS',
      'SYNCED',
      'READY',
      'COMPOSITION',
      'AGE',
    ]);
    expect(line).toMatch(/^why\s+1\/1\s+\d+\/\d+\s+\S+\s+True\s+True/);
    const { stdout } = await promisify(execFile)('crossplane', ['resource', 'trace', 'internaldns', 'why']);
    expect(stdout).toMatch(/InternalDNS\/why\s+True\s+True\s+Available/);
    const text = await (await fetch(`${page}/names.txt`)).text();
    expect(text).toMatch(/^NAME +VERDICT +OBJECT/);
    expect(text).toMatch(/fine\.why\.internal +Resolved +ingress\/e2e-shop\/fine/);
  });

  test('everything is put away', async () => {
    await kubectl('-n', shop, 'delete', 'ingress', '--all');
    await kubectl('-n', other, 'delete', 'ingress', '--all');
    await remove('internaldns', 'why');
  });
}
