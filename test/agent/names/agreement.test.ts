/** What is said of names agrees with what answers there, once a history is over. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { typeOf } from '../../../functions/agent/discovery/target.ts';
import { type NameState, nameKey } from '../../../functions/contract/verdict.ts';
import { absolute } from '../../../functions/dns/name.ts';
import { type Discovery, discoveries, histories, inAnyOrder, take } from './histories.ts';
import { type SightedAgent, sightedAgent } from './sighted-agent.ts';

/** What an object is found at: the addresses that it may have, or an alias where there is none. */
function essential(own: readonly string[], { networks, default: instead = [] }: Discovery['targets']): string[] {
  const isAllowed = (target: string) => !networks || isIP(target) === 0 || target.startsWith('192.0.2.');
  const allowed = (own.length > 0 ? own : instead).filter(isAllowed);
  const addresses = allowed.filter((target) => isIP(target) !== 0);
  return addresses.length > 0 ? addresses : allowed;
}

/** How a name answers all of some targets, if it does. */
function answersTo(
  name: string,
  targets: string[],
  { database: { rrsets } }: SightedAgent,
): 'alone' | 'among others' | undefined {
  const isDelegation = ({ type, name, zone }: { type: string; name: string; zone: string }) =>
    type === 'NS' && name !== zone;
  const isCut = rrsets.some((rrset) => {
    const isBelow = name.endsWith(`.${rrset.name}`);
    return isDelegation(rrset) ? isBelow || rrset.name === name : rrset.type === 'DNAME' && isBelow;
  });
  if (isCut || targets.length === 0) return undefined;
  const found = [...Map.groupBy(targets, typeOf)].map(([type, ofType]) => ({
    ofType,
    records: rrsets.find((rrset) => rrset.name === name && rrset.type === type)?.records ?? [],
  }));
  if (!found.every(({ ofType, records }) => ofType.every((target) => records.includes(target)))) return undefined;
  return found.every(({ ofType, records }) => records.length === ofType.length) ? 'alone' : 'among others';
}

/** Whether a name is said to resolve when it does, and only then. */
function agrees({ name, resource, verdict }: NameState, agent: SightedAgent, { targets }: Discovery): boolean {
  const sourceObject = agent.objects.get(resource);
  const asked = sourceObject?.hosts.includes(absolute(name)) ? essential(sourceObject.targets ?? [], targets) : [];
  const answer = answersTo(absolute(name), asked, agent);
  // Who wins a name may want what another object wants, too, and more.
  if (verdict === 'Duplicate') return answer !== 'alone';
  return (verdict === 'Resolved') === (answer !== undefined);
}

test('whatever happens, a name is then said to resolve exactly when what its object wants is answered', {
  tags: ['history'],
}, async () => {
  await fc.assert(
    fc.asyncProperty(discoveries, histories, async (discovery, history) => {
      const agent = await sightedAgent(discovery);
      for (const step of history) await take(agent, discovery, step);
      agent.database.failure = undefined;
      for (const kind of ['ingress', 'httproute']) agent.objects.see(kind, true);
      await inAnyOrder(agent, 10);
      const list = agent.agent.names.list ?? [];
      expect(list.filter((state) => !agrees(state, agent, discovery))).toEqual([]);
      expect(list.filter(({ verdict }) => verdict === 'Pending')).toEqual([]);
      const asked = agent.objects
        .list()
        .flatMap(({ resource, hosts }) => hosts.map((host) => nameKey({ name: host.slice(0, -1), resource })));
      expect(list.map(nameKey)).toEqual(expect.arrayContaining(asked));
      const report = agent.agent.report();
      await inAnyOrder(agent, 4);
      expect(agent.agent.names.list).toBe(list);
      expect(agent.agent.report()).toEqual(report);
    }),
    { numRuns: 400 },
  );
});
