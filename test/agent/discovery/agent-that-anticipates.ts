/** An agent with source objects whose changes it hears of, and an ExternalDNS that sees them when it is told to. */
import type { Endpoint } from '../../../functions/agent/discovery/endpoint.ts';
import { hostsOf } from '../../../functions/agent/sources/kinds/conversion.ts';
import { loop, type Webhook } from '../external-dns.ts';
import { agentWithSources } from '../names/agent-with-sources.ts';
import { type FakeObject, www } from '../names/fake-source-lister.ts';

export type Anticipated = Awaited<ReturnType<typeof agentThatAnticipates>>;

const sources = ['Ingress', 'Service'].map((kind) => ({ kind, isAnticipated: true as const }));
const usual = { ownerID: 'corp', intervalSeconds: 10, sources };

export async function agentThatAnticipates(discovery: object = {}) {
  const setup = await agentWithSources({ ...usual, ...discovery });
  const { agent, clock, database, objects } = setup;
  clock.now = 1_000;
  const webhookOf = (namespace?: string): Webhook => ({
    records: () => agent.records(namespace),
    adjustEndpoints: (endpoints) => agent.adjustEndpoints(endpoints, namespace),
    applyChanges: (changes) => agent.applyChanges(changes, namespace),
  });
  const hosts = new Map<string, string[]>();
  return {
    agent,
    clock,
    database,
    log: setup.log,
    objects,
    webhook: webhookOf(),
    redeclare: (changed: object) => setup.redeclare({ ...usual, ...discovery, ...changed }),
    /** Changes an object, and tells the agent. */
    set(resource: string, object: FakeObject | undefined): void {
      objects.set(resource, object && { changedAt: clock.now, ...object });
      const own = object ? hostsOf(object.hosts ?? [www]) : [];
      agent.sourceChanged({ resource, hosts: new Set([...(hosts.get(resource) ?? []), ...own]) });
      hosts.set(resource, own);
    },
    /** One loop of ExternalDNS. */
    loop: (endpoints?: Endpoint[], namespace?: string) =>
      loop(webhookOf(namespace), endpoints ?? objects.endpoints(namespace)),
    /** Discovered records, as `www A 192.0.2.1 ingress/a/web`. */
    published: (): string[] =>
      database.rrsets
        .filter(({ mark }) => mark?.account.startsWith('external-dns/'))
        .map(({ name, type, records, mark }) => `${name.split('.')[0]} ${type} ${records.join(' ')} ${mark?.content}`)
        .sort(),
    verdictOf(resource: string): string {
      agent.explain();
      return setup.verdictOf(resource) ?? '';
    },
    heldNames: () => agent.heldNames,
  };
}
