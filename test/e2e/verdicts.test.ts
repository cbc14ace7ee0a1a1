import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Verdict } from '../../functions/contract/verdict.ts';
import { edit } from './cluster/edit.ts';
import { apply, condition, kubectl, patch, remove, until, waitForQuiescence, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop, withDisturbance } from './cluster/loops.ts';
import { type Client, clientOf } from './cluster/names.ts';
import { hostname, target } from './cluster/objects.ts';
import { pdnsutil } from './cluster/pod.ts';
import { eventsOn, problemsOf, statusAddress, tableAt, untilReported } from './cluster/reported-names.ts';
import { scenario } from './scenario.ts';

const zone = 'why.internal';
const pod = 'idns-why-0';
const at = (name: string) => `${name}.${zone}`;
/** Makes the lab's ingress controller ignore an Ingress. */
const noAddress = { 'lab/no-address': '1' };
const controller = 'external-dns.alpha.kubernetes.io/controller';

/** Every verdict on real objects, on the page, in Events and in the status, and how it becomes Resolved. */
scenario('verdicts', ({ shop, market: other, ingress, internalDNS, writeAddresses }) => {
  let client: Client;
  let page: string;
  const fixed = (name: string, host: string, more: object = {}) =>
    ingress({ name, hosts: [host], annotations: { [target]: '192.0.2.1' }, ...more });
  const annotate = (name: string, annotations: Record<string, string | null>) =>
    patch('ingress', name, { metadata: { annotations } }, shop);
  const stateOf = async (name: string, host: string, namespace = shop) =>
    (await tableAt(page, host)).names.find(({ resource }) => resource === `ingress/${namespace}/${name}`);

  /** Waits until the page, an Event on the object and the composite's status report the verdict. */
  async function waitForVerdict(verdict: Verdict, name: string, host: string, message: RegExp, namespace = shop) {
    await waitForVerdictAtObject(verdict, name, host, message, namespace);
    await untilReported('why', { name: host, resource: `ingress/${namespace}/${name}`, verdict, message });
  }

  /** Like `waitForVerdict`, except for the status: it has only the 20 worst, and other scenarios have hosts outside the zones. */
  async function waitForVerdictAtObject(
    verdict: Verdict,
    name: string,
    host: string,
    message: RegExp,
    namespace = shop,
  ) {
    await until(`the page reports ${host} as ${verdict}`, async () => {
      const state = await stateOf(name, host, namespace);
      return (state?.verdict === verdict && message.test(state.message)) || state;
    });
    await until(`an Event reports ${host} as ${verdict}`, async () => {
      const events = await eventsOn('why', 'ingress', name, namespace);
      return events.some((event) => event.startsWith(`${verdict}: ${host}: `) && message.test(event)) || events;
    });
  }

  /** Waits until a name is answered, the page and an Event report it as resolved, and the status has no problem with it. */
  async function waitForResolved(name: string, host: string, answer: string, namespace = shop) {
    await until(`the page reports ${host} as Resolved`, async () => {
      const state = await stateOf(name, host, namespace);
      return (state?.verdict === 'Resolved' && state.message.includes(answer)) || state;
    });
    expect(await client.answer(host)).toBe(answer);
    await until(`an Event reports ${host} as Resolved`, async () => {
      const events = await eventsOn('why', 'ingress', name, namespace);
      return events.some((event) => event.startsWith(`Resolved: ${host} resolves to ${answer}`)) || events;
    });
    await until(`the status has no problem with ${host}`, async () => {
      const problems = await problemsOf('why');
      return !problems.some((p) => p.name === host && p.resource === `ingress/${namespace}/${name}`) || problems;
    });
  }

  test('a new name is Pending and then Resolved, on the page and in kubectl describe', async () => {
    const declared = [{ name: 'declared', type: 'A', values: ['192.0.2.80'] }];
    await apply(
      internalDNS('why', {
        zones: [{ name: zone, records: declared }],
        discovery: { sources: [{ kind: 'Ingress' }], deleteGuard: { hold: '1h', percent: 10 } },
      }),
    );
    await waitForReady('why');
    [client, page] = [await clientOf('why'), await statusAddress('why')];
    // It is Pending only for some seconds, and kubectl may take as long to return.
    const pending = until('the name is pending', async () => {
      const state = await stateOf('slow', at('slow'));
      return state?.verdict === 'Pending' || state;
    });
    await Promise.all([pending, apply(ingress({ name: 'slow', hosts: [at('slow')], annotations: noAddress }))]);
    await apply(fixed('fine', at('fine')));
    await waitForResolved('fine', at('fine'), '192.0.2.1');
    const described = await kubectl('-n', shop, 'describe', 'ingress', 'fine');
    expect(described).toMatch(/Normal\s+Resolved\s+\S+\s+internal-dns\s+fine\.why\.internal resolves to 192\.0\.2\.1/);
  });

  test('NoAddress', async () => {
    await waitForVerdict('NoAddress', 'slow', at('slow'), /its controller has not written one/);
    // Crossplane writes conditions after the rest of the status.
    await until('the condition names the host', async () => {
      const { status, reason, message = '' } = await condition('why', 'Resolvable');
      const isNamed = message.includes(`${at('slow')} (ingress/${shop}/slow)`);
      return (status === 'False' && reason === 'NoAddress' && isNamed) || { status, reason, message };
    });
    expect((await condition('why', 'Ready')).status, 'one object does not affect Ready').toBe('True');
    await writeAddresses('slow', '192.0.2.2');
    await waitForResolved('slow', at('slow'), '192.0.2.2');
    await until('the condition is True', async () => {
      const { status, reason } = await condition('why', 'Resolvable');
      return status === 'True' || { status, reason };
    });
  });

  test('OutsideZones', async () => {
    await apply(fixed('typo', 'typo.whi.internal'));
    await waitForVerdictAtObject('OutsideZones', 'typo', 'typo.whi.internal', /outside the zone why\.internal/);
    await apply(fixed('typo', at('typo')));
    await waitForResolved('typo', at('typo'), '192.0.2.1');
  });

  test('Filtered', async () => {
    await apply(fixed('left', at('left'), { annotations: { [target]: '192.0.2.1', [controller]: 'another' } }));
    await waitForVerdict('Filtered', 'left', at('left'), /controller/);
    await annotate('left', { [controller]: null });
    await waitForResolved('left', at('left'), '192.0.2.1');
  });

  test('Duplicate', async () => {
    await apply(fixed('first', at('contested')));
    await waitForResolved('first', at('contested'), '192.0.2.1');
    const second = { namespace: other, annotations: { [target]: '192.0.2.3' } };
    await apply(fixed('second', at('contested'), second));
    await waitForVerdict(
      'Duplicate',
      'second',
      at('contested'),
      new RegExp(`already used by ingress/${shop}/first, which was published first`),
      other,
    );
    await remove('ingress', 'first', shop);
    await waitForResolved('second', at('contested'), '192.0.2.3', other);
  });

  test('DeclaredElsewhere', async () => {
    await apply(fixed('declared', at('declared')));
    await waitForVerdict('DeclaredElsewhere', 'declared', at('declared'), /the InternalDNS declares A at this name/);
    await edit('why', { zones: [{ name: zone }] });
    await waitForResolved('declared', at('declared'), '192.0.2.1');
  });

  test('ForeignRecord', async () => {
    await pdnsutil(pod, 'rrset', 'add', zone, at('foreign'), 'A', '60', '192.0.2.81');
    await client.becomes(at('foreign'), '192.0.2.81');
    await apply(fixed('foreign', at('foreign')));
    await waitForVerdict('ForeignRecord', 'foreign', at('foreign'), /an unmanaged A record exists at this name/);
    await withDisturbance('why', async () => {
      await pdnsutil(pod, 'rrset', 'delete', zone, at('foreign'), 'A');
      await waitForResolved('foreign', at('foreign'), '192.0.2.1');
    });
  });

  test('Refused', async () => {
    await apply(
      ingress({ name: 'bad', hosts: [at('good')], annotations: { [target]: '192.0.2.1', [hostname]: at('b%d') } }),
    );
    await waitForVerdict(
      'Refused',
      'bad',
      at('b%d'),
      /invalid label .*: labels consist of letters, digits and inner hyphens/,
    );
    await annotate('bad', { [hostname]: at('bad') });
    await waitForResolved('bad', at('bad'), '192.0.2.1');
  });

  test('Held, until the let-go annotation is set', async () => {
    const names = Array.from({ length: 14 }, (_, index) => `held-${index}`);
    await apply(...names.map((name) => ingress({ name, hosts: [at(name)], annotations: noAddress })));
    await Promise.all(names.map((name) => writeAddresses(name, '192.0.2.7')));
    for (const name of names) await client.becomes(at(name), '192.0.2.7');
    const last = names.pop() as string;
    await Promise.all(names.map((name) => writeAddresses(name)));
    await until('deletions are held', async () => {
      const { reason } = await condition('why', 'DiscoveryReady');
      return reason === 'DeletesHeld' || reason;
    });
    await writeAddresses(last);
    await waitForVerdict(
      'Held',
      last,
      at(last),
      /it still resolves to 192\.0\.2\.7; to delete them now: kubectl annotate internaldns why/,
    );
    await writeAddresses(last, '192.0.2.8');
    await waitForResolved(last, at(last), '192.0.2.8');
    await waitForQuiescence('why');
    await kubectl('annotate', 'internaldns', 'why', '--overwrite', `dns.internal/let-go=${new Date().toISOString()}`);
    for (const name of names) await client.becomes(at(name), 'NXDOMAIN');
    await kubectl('-n', shop, 'delete', 'ingress', ...names, last);
  });

  test('the page has a hint for a name that no object requests', async () => {
    const { names, hint } = await tableAt(page, at('nobody'));
    expect(names).toEqual([]);
    expect(hint).toMatch(/why\.internal/);
  });

  test('a host that is markup is escaped, and the longest possible host resolves', async () => {
    const markup = '<script>alert(1)</script>.why.internal';
    const label = 'a'.repeat(63);
    const long = `${label}.${label}.${label}.${'b'.repeat(253 - 3 * 64 - zone.length - 1)}.${zone}`;
    const annotations = { [target]: '192.0.2.1', [hostname]: markup };
    await apply(ingress({ name: 'odd', hosts: [long], annotations }));
    expect(long).toHaveLength(253);
    await waitForResolved('odd', long, '192.0.2.1');
    const html = await (await fetch(`${page}/?host=script`)).text();
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('&lt;script&gt;alert');
    expect((await tableAt(page, 'script')).names[0]?.verdict).toBe('Refused');
    await until('kubectl describe shows the host', async () =>
      /<script>alert/.test(await kubectl('describe', 'internaldns', 'why')),
    );
    await remove('ingress', 'odd', shop);
    await client.becomes(long, 'NXDOMAIN');
  });

  test('a restart of the agent repeats no Event', async () => {
    const before = await eventsOn('why', 'ingress', 'fine', shop);
    await kubectl('-n', 'internal-dns', 'delete', 'pod', pod);
    await until('the agent has evaluated the name again', async () => {
      const { names } = await tableAt(page, at('fine'));
      return names[0]?.verdict === 'Resolved' || names;
    });
    await anotherLoop('why');
    expect(await eventsOn('why', 'ingress', 'fine', shop)).toEqual(before);
    await waitForReady('why');
  });

  test('kubectl get, crossplane resource trace and names.txt show the state', async () => {
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
    expect(text).toMatch(/fine\.why\.internal +Resolved +ingress\/e2e-verdicts\/fine/);
  });
});
