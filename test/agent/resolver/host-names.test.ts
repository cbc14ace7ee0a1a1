/** How host names are followed: how often, how many at once, and who waits for whom. */
import { expect, test } from 'vitest';
import type { HostNameAnswer } from '../../../functions/agent/resolver/host-name-state.ts';
import { HostNames } from '../../../functions/agent/resolver/host-names.ts';

const addresses = (ttl: number, ...A: string[]): HostNameAnswer => ({
  A: { addresses: A, ttl },
  AAAA: { addresses: [], absence: 'NoAddress' },
});
const failure: HostNameAnswer = { A: { failure: 'SERVFAIL' }, AAAA: { failure: 'SERVFAIL' } };

/** Host names with an answer for each, by default an address; `dead.` names are answered with a failure after six seconds. */
function startHostNames(answers: Record<string, HostNameAnswer> = {}) {
  const clock = { now: 0 };
  const queries: string[] = [];
  const waiting: { until: number; resolve: (answer: HostNameAnswer) => void }[] = [];
  const load = { now: 0, most: 0 };
  const hostNames = new HostNames({
    now: () => clock.now,
    lookUp: async (name) => {
      queries.push(name);
      load.now += 1;
      load.most = Math.max(load.most, load.now);
      const answer = name.startsWith('dead')
        ? await new Promise<HostNameAnswer>((resolve) => waiting.push({ until: clock.now + 6_000, resolve }))
        : (answers[name] ?? addresses(60, '192.0.2.1'));
      load.now -= 1;
      return answer;
    },
  });
  return {
    hostNames,
    answers,
    queries,
    load,
    follow: (...names: string[]) => hostNames.follow('corp', new Set(names)),
    at: (name: string) => hostNames.table.get(name),
    async pass(seconds: number) {
      for (let i = 0; i < seconds * 4; i++) {
        clock.now += 250;
        for (const { until, resolve } of waiting) if (until <= clock.now) resolve(failure);
        hostNames.resolveDue();
        await settled();
      }
    },
  };
}

/** Lets all promises that can settle do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const many = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}.example.com.`);

test('a name is unknown, then resolved, and resolved again after its TTL', async () => {
  const { follow, at, pass, queries } = startHostNames();
  follow('lb.example.com.');
  expect(at('lb.example.com.')).toEqual({ A: [], AAAA: [], unsettled: ['A', 'AAAA'], fault: 'Unknown' });
  await pass(1);
  expect(at('lb.example.com.')?.A).toEqual(['192.0.2.1']);
  await pass(58);
  expect(queries).toHaveLength(1);
  await pass(3);
  expect(queries).toHaveLength(2);
});

test('the table changes with what names stand for, and with nothing else', async () => {
  const { follow, pass, hostNames, answers, queries } = startHostNames();
  answers['lb.example.com.'] = addresses(5, '192.0.2.1', '192.0.2.2');
  follow('lb.example.com.');
  await pass(25);
  const { table } = hostNames;
  answers['lb.example.com.'] = addresses(5, '192.0.2.2', '192.0.2.1');
  await pass(30);
  answers['lb.example.com.'] = addresses(5, '192.0.2.2');
  await pass(8);
  follow('lb.example.com.');
  expect(hostNames.table).toBe(table);
  await pass(12);
  expect(hostNames.table).not.toBe(table);
  expect(hostNames.table.get('lb.example.com.')?.A).toEqual(['192.0.2.2']);
  expect(queries.length).toBeLessThan(20);
});

test('900 dead names delay no good one', async () => {
  const { follow, at, pass, load, queries, answers } = startHostNames();
  const good = many('good', 100);
  follow(...good);
  await pass(3);
  follow(...good, ...many('dead', 900));
  // The names that are known are refreshed in time, also while all dead names are new.
  await pass(40);
  for (const name of good) answers[name] = addresses(60, '192.0.2.9');
  await pass(25);
  for (const name of good) expect(at(name)?.A).toContain('192.0.2.9');
  expect(load.most).toBeLessThanOrEqual(100);
  await pass(200);
  // Once they have failed they take less.
  load.most = 0;
  follow(...good, ...many('dead', 890), ...many('new', 10));
  const before = queries.length;
  await pass(2);
  for (const name of many('new', 10)) expect(at(name)?.A).toEqual(['192.0.2.1']);
  expect(queries.length - before).toBeLessThanOrEqual(100);
  expect(load.most).toBeLessThanOrEqual(36);
});

test('any number of names with the shortest TTL takes at most fifty lookups a second, and none starves', async () => {
  const names = many('lb', 1_000);
  const { follow, at, pass, queries } = startHostNames(
    Object.fromEntries(names.map((n) => [n, addresses(0, '192.0.2.1')])),
  );
  follow(...names);
  await pass(21);
  expect(names.filter((name) => at(name)?.fault !== undefined)).toEqual([]);
  await pass(39);
  expect(queries.length).toBeLessThanOrEqual(60 * 50 + 50);
});

test('at most 1,000 names are followed: the first ones of each owner', async () => {
  const { follow, at, pass, hostNames } = startHostNames();
  follow(...many('a', 1_500));
  await pass(25);
  expect(hostNames.counts).toEqual({ followed: 1_000, failing: 0 });
  expect(hostNames.table.isFull).toBe(true);
  expect(many('a', 1_500).findIndex((name) => !at(name))).toBe(1_000);
  hostNames.follow('other', new Set(many('b', 10)));
  expect(many('b', 10).filter((name) => !at(name))).toEqual([]);
  expect(many('a', 1_500).findIndex((name) => !at(name))).toBe(990);
  follow(...many('a', 600));
  expect([hostNames.counts.followed, hostNames.table.isFull]).toEqual([610, false]);
});

test('a name is followed while one of its owners needs it', () => {
  const { hostNames, at } = startHostNames();
  hostNames.follow('corp/a', new Set(['lb.example.com.']));
  hostNames.follow('corp/b', new Set(['lb.example.com.', 'other.example.com.']));
  hostNames.follow('corp/a', new Set());
  expect([at('lb.example.com.'), at('other.example.com.')]).not.toContain(undefined);
  hostNames.retain(new Set(['corp/a']));
  expect([at('lb.example.com.'), at('other.example.com.')]).toEqual([undefined, undefined]);
});

test('only the first names of an owner are inherited from the agent before', async () => {
  const { follow, at, pass } = startHostNames();
  follow('old.example.com.');
  follow('old.example.com.', 'new.example.com.');
  await pass(1);
  expect(at('old.example.com.')?.unsettled).toEqual(['A', 'AAAA']);
  expect(at('new.example.com.')?.unsettled).toEqual([]);
  await pass(120);
  expect(at('old.example.com.')?.unsettled).toEqual([]);
});
