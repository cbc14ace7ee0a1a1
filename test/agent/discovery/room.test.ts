/** No more records than the agent's memory bears. */
import { describe, expect, test } from 'vitest';
import { recordsIn, withinRoom } from '../../../functions/agent/discovery/verdict/room.ts';
import { loop } from '../external-dns.ts';
import { declare, found, makeAgent, want } from '../make.ts';

const of = (namespace: string, count: number) =>
  Array.from({ length: count }, (_, i) =>
    found(`ingress/${namespace}/web`, `${namespace}${i}.corp.internal.`, 'A', '192.0.2.1'),
  );
const namesOf = (rrsets: { name: string }[]) => rrsets.map(({ name }) => name.split('.')[0]);

describe('where there is no room for all', () => {
  test('each namespace has a name in turn, and what stands stays', () => {
    const [many, few] = [of('many', 10), of('few', 2)];
    const { accepted, refused } = withinRoom([...many, ...few], many.slice(7), 7);
    expect(namesOf(accepted)).toEqual(['many0', 'many1', 'many7', 'many8', 'many9', 'few0', 'few1']);
    expect(namesOf(refused.map(({ rrset }) => rrset)).sort()).toEqual(['many2', 'many3', 'many4', 'many5', 'many6']);
    expect(new Set(refused.map(({ message }) => message))).toEqual(
      new Set([expect.stringContaining('raise resources.agent.limits.memory')]),
    );
    expect(withinRoom(many, many, 3)).toEqual({ accepted: many, refused: [] });
  });

  test('records count, not names', () => {
    const big = found('ingress/a/big', 'big.corp.internal.', 'A', '192.0.2.1', '192.0.2.2', '192.0.2.3');
    expect(recordsIn([big])).toBe(3);
    expect(namesOf(withinRoom([big, ...of('b', 2)], [], 3).accepted)).toEqual(['b0', 'b1']);
  });
});

test('what is declared takes of the room, the rest is told, and comes when there is room again', async () => {
  const { agent, declare: take, problems, database } = makeAgent(undefined, { mostRecords: 8 });
  take(declare());
  await agent.reconcile();
  const taken = (await database.zones()).flatMap(({ rrsets }) => rrsets).length;
  const webhook = {
    records: () => agent.records(),
    adjust: (wanted: Parameters<typeof agent.adjust>[0]) => agent.adjust(wanted),
    apply: (changes: Parameters<typeof agent.apply>[0]) => agent.apply(changes),
  };
  const wanted = Array.from({ length: 8 }, (_, i) => want('ingress/a/web', `h${i}.corp.internal`, 'A', '192.0.2.1'));
  await loop(webhook, wanted);
  expect(await agent.records()).toHaveLength(8 - taken);
  expect(problems()).toHaveLength(taken);
  expect(problems()?.[0]).toMatchObject({ verdict: 'Refused' });
  expect(await loop(webhook, wanted)).toBeUndefined();
  await loop(webhook, wanted.slice(taken));
  await loop(webhook, wanted.slice(taken));
  expect(problems()).toEqual([]);
});
