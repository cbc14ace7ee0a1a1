/** An agent with source objects, and an ExternalDNS that requests the hosts that have targets. */
import { expect } from 'vitest';
import type { AgentOptions } from '../../../functions/agent/agent.ts';
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import type { Declaration } from '../../../functions/contract/declaration.ts';
import type { DeclarationChanges } from '../../contract/declared.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { declare, makeAgent } from '../make.ts';
import { type FakeObject, FakeSourceLister, www } from './fake-source-lister.ts';

export interface SyncOptions {
  /** What ExternalDNS requests, by default the hosts of all objects. */
  endpoints?: () => Endpoint[];
  /** The namespace of the ExternalDNS, where each has its own. */
  namespace?: string;
}

export type AgentWithSources = Awaited<ReturnType<typeof agentWithSources>>;

/** Creates an agent that has reconciled the zone corp.internal once, before the first sync of ExternalDNS. */
export async function agentWithSources(
  discovery: object = {},
  more: DeclarationChanges = {},
  { outOfZoneNames, hostNames }: Pick<AgentOptions, 'outOfZoneNames' | 'hostNames'> = {},
) {
  const objects = new FakeSourceLister();
  const propagations: number[] = [];
  const onPropagation = (milliseconds: number) => void propagations.push(milliseconds);
  const options = { lister: objects, onPropagation, outOfZoneNames, hostNames };
  let current = makeAgent(undefined, options);
  const { database, clock } = current;
  let declared: Declaration;
  const declareAll = (declaration: Declaration) => {
    declared = declaration;
    return current.declare(declaration);
  };
  const redeclare = (changed: object = discovery, besides = more) =>
    declareAll(declare({ name: 'corp', discovery: { ownerID: 'corp', intervalSeconds: 2, ...changed }, ...besides }));
  redeclare();
  await current.agent.reconcile();
  const webhookOf = (namespace?: string): Webhook => ({
    records: () => current.agent.records(namespace),
    adjustEndpoints: (endpoints) => current.agent.adjustEndpoints(endpoints, namespace),
    applyChanges: (changes) => current.agent.applyChanges(changes, namespace),
  });
  const verdicts = () =>
    current.agent.names.list?.map(({ name, resource, verdict, message }) => ({ name, resource, verdict, message }));
  return {
    database,
    clock,
    get agent() {
      return current.agent;
    },
    get log() {
      return current.log;
    },
    declare: declareAll,
    problems: () => current.problems(),
    /** Replaces the agent by a new process. */
    async restart(restarted: Pick<AgentOptions, 'hostNames'> = {}) {
      current = makeAgent(database, { ...options, ...restarted, now: () => clock.now });
      current.declare(declared);
      if (database.failure === undefined) await current.agent.reconcile();
    },
    objects,
    propagations,
    redeclare,
    verdicts,
    /** `Verdict: message` of one object's host. */
    verdictOf: (resource: string, name = www) =>
      verdicts()
        ?.filter((state) => state.resource === resource && state.name === name)
        .map(({ verdict, message }) => `${verdict}: ${message}`)
        .join(),
    setObject: (resource: string, object: FakeObject | undefined) => objects.set(resource, object),
    /** Lets ExternalDNS sync a number of times, every two seconds. */
    async sync(count = 1, { namespace, endpoints = () => objects.endpoints(namespace) }: SyncOptions = {}) {
      for (let i = 0; i < count; i++) {
        await current.agent.reconcile();
        await loop(webhookOf(namespace), endpoints());
        current.agent.explain();
        clock.now += 2_000;
      }
      current.agent.explain();
    },
    /** Lets ExternalDNS sync while PowerDNS does not respond. */
    async syncDuringOutage(count: number) {
      for (let i = 0; i < count; i++) {
        await expect(current.agent.reconcile()).rejects.toThrow();
        await expect(loop(webhookOf(), objects.endpoints())).rejects.toThrow();
        current.agent.explain();
        clock.now += 2_000;
      }
    },
    /** Lets the time of a number of syncs pass while ExternalDNS is silent. */
    async passWithoutSync(count: number) {
      for (let i = 0; i < count; i++) {
        await current.agent.reconcile();
        clock.now += 2_000;
        current.agent.explain();
      }
    },
  };
}
