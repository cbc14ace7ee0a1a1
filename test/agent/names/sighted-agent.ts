/** An agent that sees objects, and an ExternalDNS that asks for what they have addresses for. */
import { expect } from 'vitest';
import type { AgentOptions } from '../../../functions/agent/agent.ts';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import type { Declaration } from '../../../functions/contract/declaration.ts';
import type { DeclarationChanges } from '../../contract/declared.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { declare, makeAgent } from '../make.ts';
import { type SeenObject, SeenObjects, www } from './seen-objects.ts';

export interface Asking {
  /** What is asked for, instead of what the objects want. */
  asks?: () => Endpoint[];
  /** Whose ExternalDNS asks, where each namespace has its own. */
  namespace?: string;
}

export type SightedAgent = Awaited<ReturnType<typeof sightedAgent>>;

/** It has corp.internal, and has been brought to what is declared once; ExternalDNS has not asked yet. */
export async function sightedAgent(
  discovery: object = {},
  more: DeclarationChanges = {},
  { outside }: Pick<AgentOptions, 'outside'> = {},
) {
  const objects = new SeenObjects();
  const propagations: number[] = [];
  const onPropagation = (milliseconds: number) => void propagations.push(milliseconds);
  const options = { lister: objects, onPropagation, outside };
  let made = makeAgent(undefined, options);
  const { database, clock } = made;
  let declared: Declaration;
  const take = (declaration: Declaration) => {
    declared = declaration;
    return made.declare(declaration);
  };
  const redeclare = (changed: object = discovery, besides = more) =>
    take(declare({ name: 'corp', discovery: { ownerID: 'corp', intervalSeconds: 2, ...changed }, ...besides }));
  redeclare();
  await made.agent.reconcile();
  const webhookOf = (namespace?: string): Webhook => ({
    records: () => made.agent.records(namespace),
    adjustEndpoints: (wanted) => made.agent.adjustEndpoints(wanted, namespace),
    applyChanges: (changes) => made.agent.applyChanges(changes, namespace),
  });
  const said = () =>
    made.agent.names.list?.map(({ name, resource, verdict, message }) => ({ name, resource, verdict, message }));
  return {
    database,
    clock,
    get agent() {
      return made.agent;
    },
    declare: take,
    problems: () => made.problems(),
    /** Another process takes the place of the agent. */
    async restart() {
      made = makeAgent(database, { ...options, now: () => clock.now });
      made.declare(declared);
      if (database.failure === undefined) await made.agent.reconcile();
    },
    objects,
    propagations,
    redeclare,
    said,
    /** Of one object: `Verdict: message`. */
    of: (resource: string, name = www) =>
      said()
        ?.filter((state) => state.resource === resource && state.name === name)
        .map(({ verdict, message }) => `${verdict}: ${message}`)
        .join(),
    has: (resource: string, object: SeenObject | undefined) => objects.set(resource, object),
    /** Loops of ExternalDNS, one each two seconds. */
    async loops(count = 1, { namespace, asks = () => objects.wanted(namespace) }: Asking = {}) {
      for (let i = 0; i < count; i++) {
        await made.agent.reconcile();
        await loop(webhookOf(namespace), asks());
        made.agent.explain();
        clock.now += 2_000;
      }
      made.agent.explain();
    },
    /** As long as it takes for so many loops, while PowerDNS answers nobody. */
    async lost(count: number) {
      for (let i = 0; i < count; i++) {
        await expect(made.agent.reconcile()).rejects.toThrow();
        await expect(loop(webhookOf(), objects.wanted())).rejects.toThrow();
        made.agent.explain();
        clock.now += 2_000;
      }
    },
    /** As long as it takes for so many loops, while ExternalDNS is silent. */
    async silence(count: number) {
      for (let i = 0; i < count; i++) {
        await made.agent.reconcile();
        clock.now += 2_000;
        made.agent.explain();
      }
    },
  };
}
