/** Verdicts agree with what the zones answer at the end of any history. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { typeOf } from '../../../functions/agent/sources/target.ts';
import { type NameState, nameKey } from '../../../functions/contract/verdict.ts';
import { absolute } from '../../../functions/dns/name.ts';
import { type AgentWithSources, agentWithSources } from './agent-with-sources.ts';
import { applyStep, type Discovery, discoveries, histories, syncInAnyOrder } from './histories.ts';

/** The targets by which an object resolves: its allowed addresses, or without any its CNAME. */
function essential(own: readonly string[], { networks, default: instead = [] }: Discovery['targets']): string[] {
  const isAllowed = (target: string) => !networks || isIP(target) === 0 || target.startsWith('192.0.2.');
  const allowed = (own.length > 0 ? own : instead).filter(isAllowed);
  const addresses = allowed.filter((target) => isIP(target) !== 0);
  return addresses.length > 0 ? addresses : allowed;
}

/** Whether a name answers with all of some targets, and with others. */
function answersTo(
  name: string,
  targets: string[],
  { database: { rrsets } }: AgentWithSources,
): 'alone' | 'among others' | undefined {
  const isDelegation = ({ type, name, zone }: { type: string; name: string; zone: string }) =>
    type === 'NS' && name !== zone;
  const isCut = rrsets.some((rrset) => {
    const isBelow = name.endsWith(`.${rrset.name}`);
    return isDelegation(rrset) ? isBelow || rrset.name === name : rrset.type === 'DNAME' && isBelow;
  });
  if (isCut || targets.length === 0) return undefined;
  const endpoints = [...Map.groupBy(targets, typeOf)].map(([type, ofType]) => ({
    ofType,
    records: rrsets.find((rrset) => rrset.name === name && rrset.type === type)?.records ?? [],
  }));
  if (!endpoints.every(({ ofType, records }) => ofType.every((target) => records.includes(target)))) return undefined;
  return endpoints.every(({ ofType, records }) => records.length === ofType.length) ? 'alone' : 'among others';
}

/** Whether the verdict is Resolved exactly if the name resolves. */
function agrees({ name, resource, verdict }: NameState, agent: AgentWithSources, { targets }: Discovery): boolean {
  const sourceObject = agent.objects.get(resource);
  const asked = sourceObject?.hosts.includes(absolute(name)) ? essential(sourceObject.targets ?? [], targets) : [];
  const answer = answersTo(absolute(name), asked, agent);
  // The object that has the name may want the same target among others.
  if (verdict === 'Duplicate') return answer !== 'alone';
  return (verdict === 'Resolved') === (answer !== undefined);
}

test('after any history, a verdict is Resolved exactly if the zones answer what the object wants', {
  tags: ['history'],
}, async () => {
  await fc.assert(
    fc.asyncProperty(discoveries, histories, async (discovery, history) => {
      const agent = await agentWithSources(discovery);
      for (const step of history) await applyStep(agent, discovery, step);
      agent.database.failure = undefined;
      for (const kind of ['ingress', 'httproute']) agent.objects.setSynced(kind, true);
      await syncInAnyOrder(agent, 10);
      const list = agent.agent.names.list ?? [];
      expect(list.filter((state) => !agrees(state, agent, discovery))).toEqual([]);
      expect(list.filter(({ verdict }) => verdict === 'Pending')).toEqual([]);
      const asked = agent.objects
        .list()
        .flatMap(({ resource, hosts }) => hosts.map((host) => nameKey({ name: host.slice(0, -1), resource })));
      expect(list.map(nameKey)).toEqual(expect.arrayContaining(asked));
      const report = agent.agent.report();
      await syncInAnyOrder(agent, 4);
      expect(agent.agent.names.list).toBe(list);
      expect(agent.agent.report()).toEqual(report);
    }),
    { numRuns: 400 },
  );
});
