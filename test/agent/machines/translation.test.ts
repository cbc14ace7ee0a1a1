import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerFor } from '../../../functions/agent/machines/computed-answer.ts';
import { sourceObjectOf } from '../../../functions/agent/machines/translated.ts';
import { luaContent } from '../../../functions/agent/zones/lua.ts';
import { cpuTimeOf } from '../../cpu.ts';
import { claim, machine, tenant, translationOf } from './objects.ts';

const namespace = fc.constantFrom('a', 'b', 'c');
const labels = fc.dictionary(fc.constantFrom('role', 'weight', 'tier'), fc.constantFrom('mail', 'web', '5', '0'), {
  maxKeys: 3,
});
const address = fc.oneof(
  fc.nat(20).map((i) => `192.0.2.${i + 1}`),
  fc.nat(20).map((i) => `2001:db8::${i + 1}`),
  fc.constantFrom('10.96.0.10', '127.0.0.1', 'nonsense'),
);
const meta = fc.record({ namespace, labels, age: fc.nat(5) });
const machines = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5', 'm6'),
    fc.uniqueArray(address, { maxLength: 4 }),
    meta,
    fc.subarray(['www', 'ftp']),
  ),
  { selector: ([name, , { namespace }]) => `${namespace}/${name}`, maxLength: 12 },
);
const selector = fc.record({ matchLabels: labels }, { requiredKeys: [] });
/** What could end a string or a block of Lua. */
const hostile = fc.string({ unit: fc.constantFrom("'", '[', ']', '=', '-', '~', '(', ')', ';', 'a'), maxLength: 20 });
const page = hostile.map((text) => `http://{{machine.ip}}/${text}`);
const url = fc.oneof(
  fc.constantFrom(
    'http://{{machine.ip}}/',
    'https://{{machine.ip}}:8443/x?{{machine.ip}}',
    'https://mail.example.com/',
  ),
  fc.string({ maxLength: 40 }).map((text) => `http://{{machine.ip}}/${text}`),
  page,
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const check = fc.oneof(
  fc.record({ port: fc.nat(70_000) }),
  fc.record(
    { url, contains: fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 20 })) },
    { requiredKeys: ['url'] },
  ),
);
const spec = fc.record(
  {
    name: fc.constantFrom(
      'mail.corp.internal',
      'x.corp.internal',
      'mail.signed.internal',
      'www.corp.internal',
      '*.corp.internal',
    ),
    selector,
    namespaceSelector: fc.constant({}),
    addresses: fc.uniqueArray(address, { maxLength: 3 }),
    check,
    answer: fc.constantFrom('All', 'Random', 'Sticky', 'Weighted', 'Closest'),
    weightLabel: fc.constant('weight'),
    whenAllDown: fc.constantFrom('All', 'Backup', 'None'),
    backup: fc.uniqueArray(address, { maxLength: 2 }),
    template: fc.constantFrom('{{machine.name}}.corp.internal', '{{machine.name}}.mail.corp.internal', '{{x}}'),
  },
  { requiredKeys: ['name'] },
);
const claims = fc.uniqueArray(fc.tuple(fc.constantFrom('c1', 'c2', 'c3', 'c4'), spec, meta), {
  selector: ([name, , { namespace }]) => `${namespace}/${name}`,
  maxLength: 6,
});
const tenants = fc.subarray([
  tenant('a', { networks: ['192.0.2.0/28'], checks: 'URL', selectableBy: 'SelectableByAll' }),
  tenant('b', { networks: ['192.0.2.0/29', '2001:db8::/32'] }),
]);
const cluster = fc.record({ machines, claims, tenants }).map(({ machines, claims, tenants }) => ({
  machines: machines.map(([name, addresses, of, aliases]) =>
    machine(name, addresses.join(' '), { ...of, spec: { aliases } }),
  ),
  claims: claims.map(([name, fields, of]) => claim(name, fields, of)),
  tenants,
}));

describe('whatever Machines, claims and tenants there are', () => {
  test('the order of objects does not matter', () => {
    fc.assert(
      fc.property(cluster, (input) => {
        const reversed = { ...input, machines: input.machines.toReversed(), claims: input.claims.toReversed() };
        expect(translationOf(reversed)).toEqual(translationOf(input));
      }),
    );
  });

  test('an endpoint is of its object, has targets, and no address twice or one that its namespace cannot have', () => {
    fc.assert(
      fc.property(cluster, (input) => {
        const { machines, others } = translationOf(input);
        for (const { object, endpoints } of [...machines, ...others]) {
          const keys = endpoints.map(({ dnsName, recordType }) => `${dnsName} ${recordType}`);
          expect(new Set(keys).size).toBe(keys.length);
          for (const { targets, labels } of endpoints) {
            expect(labels?.resource).toBe(object.resource);
            expect(targets.length).toBeGreaterThan(0);
            expect(new Set(targets).size).toBe(targets.length);
            expect(targets).not.toContain('127.0.0.1');
          }
        }
      }),
    );
  });

  test('an object is published, or says why not', () => {
    fc.assert(
      fc.property(cluster, (input) => {
        const { machines, others } = translationOf(input);
        for (const each of [...machines, ...others]) {
          const { endpoints, finding } = each;
          if (finding.refusal !== undefined) expect(endpoints).toEqual([]);
          expect(endpoints.filter(({ dnsName }) => !each.hosts.includes(`${dnsName}.`))).toEqual([]);
          expect(sourceObjectOf(each).filteredBy).toBe(finding.refusal);
        }
        expect(machines.length + others.length).toBe(input.machines.length + input.claims.length);
      }),
    );
  });

  test('a computed answer is code of ours and text of theirs, in strings that nothing closes', () => {
    const checked = fc.record({ url: page, contains: hostile }, { requiredKeys: ['url'] });
    const computed = fc.tuple(cluster, checked, fc.constantFrom('All', 'Random', 'Closest'));
    let accepted = 0;
    fc.assert(
      fc.property(computed, ([input, check, answer]) => {
        const fields = { name: 'y.corp.internal', addresses: ['192.0.2.1', '2001:db8::1'], check, answer };
        const claims = [...input.claims, claim('url', fields)];
        const { others } = translationOf({ ...input, claims, tenants: [tenant('a', { checks: 'URL' })] });
        for (const { object, endpoints, answers } of others) {
          if (object.name === 'url') accepted += endpoints.length;
          for (const { dnsName, recordType, targets } of endpoints) {
            const computed = answers.get(`${dnsName}. ${recordType}`);
            if (!computed) continue;
            const content = luaContent(recordType as 'A' | 'AAAA', targets, answerFor(targets, computed));
            const code = /^A{1,4} ";([^"\\]*)"$/.exec(content)?.[1] ?? '';
            expect(code).not.toBe('');
            // Outside of strings: only what the agent itself writes.
            const rest = code
              .replace('[=[', '')
              .replace(']=]', '')
              .replace(/'[^'\\\n]*'/g, '');
            expect(rest).toMatch(/^[ -&(-~]*$/);
            expect(rest).not.toMatch(/\[=*\[|--|\]=+\]/);
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('no more addresses are checked than PowerDNS can check', () => {
    fc.assert(
      fc.property(cluster, fc.nat(10), (input, checksLeft) => {
        const { others } = translationOf({ ...input, checksLeft });
        const checked = others.flatMap(({ endpoints, answers }) =>
          endpoints.flatMap(({ dnsName, recordType, targets }) => {
            const { check, backup = [] } = answers.get(`${dnsName}. ${recordType}`) ?? {};
            return check ? [...targets, ...backup] : [];
          }),
        );
        expect(checked.length).toBeLessThanOrEqual(checksLeft);
      }),
    );
  });
});

test('weights are those of the records, in their order, however many of them are published', () => {
  const weights = new Map([
    ['192.0.2.1', 90],
    ['192.0.2.2', 10],
  ]);
  const computed = { answer: 'Weighted' as const, weights };
  expect(answerFor(['192.0.2.2', '192.0.2.3', '192.0.2.1'], computed)).toEqual({
    answer: 'Weighted',
    weights: [10, 1, 90],
  });
  expect(answerFor(['192.0.2.1'], { check: { port: 25 } })).toEqual({ check: { port: 25 } });
});

test('ten times as many Machines take at most some 30 times as long', async () => {
  const inputOf = (count: number) => {
    const many = Array.from({ length: count }, (_, i) =>
      machine(`m${i}`, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, {
        namespace: `n${i % 20}`,
        labels: { role: `r${i % 50}`, zone: `z${i % 3}` },
        age: i,
      }),
    );
    const claims = Array.from({ length: 100 }, (_, i) => {
      const selector = { matchLabels: { role: `r${i % 50}` } };
      const spec = { name: `c${i}.corp.internal`, selector, namespaceSelector: {}, check: { port: 25 } };
      return claim(`c${i}`, spec, { namespace: `n${i % 20}` });
    });
    const rights = tenant('x', { networks: ['10.0.0.0/8'], selectableBy: 'SelectableByAll' });
    return { machines: many, claims, tenants: [{ ...rights, namespaceSelector: {} }], checksLeft: 1_000_000 };
  };
  const [few, many] = [inputOf(1_000), inputOf(10_000)];
  expect(translationOf(few).others.every(({ endpoints }) => endpoints.length > 0)).toBe(true);
  expect(await cpuTimeOf(() => translationOf(many))).toBeLessThan(30 * (await cpuTimeOf(() => translationOf(few))));
});
