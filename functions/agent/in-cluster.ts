import type { Logger } from 'pino';
import { canaryZone } from '../contract/canary-zone.ts';
import type { DeclaredResolver } from '../contract/declaration.ts';
import { withoutDot } from '../dns/name.ts';
import type { Observations } from './agent.ts';
import { DnsdistWatch } from './dnsdist/dnsdist-watch.ts';
import { DnsdistEviction } from './dnsdist/eviction.ts';
import { EventRecorder, type EventRecorderOptions } from './events/event-recorder.ts';
import { AgentClient } from './kubernetes/agent-client.ts';
import { Client } from './kubernetes/client.ts';
import { loadConfig } from './kubernetes/config.ts';
import { VolumeClaim } from './kubernetes/volume-claim.ts';
import { timeOf } from './lib/clock.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { HealthWatch } from './machines/health-watch.ts';
import { ObjectStatuses } from './machines/object-statuses.ts';
import { SeenEntries } from './machines/seen-entries.ts';
import type { ZoneEntry } from './machines/status-entry.ts';
import { StatusUpdates } from './machines/status-updates.ts';
import { StatusWriter } from './machines/status-writer.ts';
import { ConfigMapMirror } from './mirror/config-map.ts';
import { RecordMirror } from './mirror/record-mirror.ts';
import { Watermarks } from './mirror/watermark.ts';
import type { Options } from './options.ts';
import { removalEvent } from './peers/event.ts';
import { PeerWatch } from './peers/peer-watch.ts';
import { isAnswering } from './peers/question.ts';
import type { Database } from './powerdns/database.ts';
import type { PowerDNS } from './powerdns/powerdns.ts';
import { createCanaryZone } from './self-test/canary-record.ts';
import { queryOnce, type ServerAddress, type Transport } from './self-test/dns-query.ts';
import { SecretKeys } from './signing/secret.ts';
import { Signer } from './signing/signer.ts';
import { referenceOf } from './sources/kind.ts';
import { Sources, type SourcesOptions } from './sources/sources.ts';
import { ConfigMapMemory } from './tailnet/memory.ts';
import { SplitDNS } from './tailnet/split-dns.ts';
import { ZoneUpdates } from './team-zones/zone-updates.ts';
import { passingContent } from './zones/lua.ts';

export interface KubernetesOptions {
  names: NonNullable<Options['cluster']>;
  powerdns: PowerDNS;
  database: Database;
  /** Receives what the watches of the cluster find out. */
  observe: (found: Observations) => void;
  /** The name of the InternalDNS. */
  instance: () => string;
  /** The declared resolver. */
  resolver: () => DeclaredResolver | undefined;
  /** How many pods there are. */
  replicas: () => number;
  /** The port of PowerDNS in every pod. */
  dnsPort: number;
  /** The mirror has changed. */
  onMirrored: () => void;
  onSourceChange: SourcesOptions['onChange'];
  sourceObjectOf: EventRecorderOptions['sourceObjectOf'];
  failureLog: FailureLog;
  log: Logger;
}

/** The parts of an agent that need a cluster. */
export interface Kubernetes {
  cluster: AgentClient;
  sources: Sources;
  volumeClaim: VolumeClaim;
  /** Its keys are in a Secret, so zones are signed in a cluster only. */
  signer: Signer;
  mirror: RecordMirror;
  events: EventRecorder;
  splitDNS: SplitDNS;
  peers: PeerWatch;
  dnsdist: DnsdistWatch;
  eviction: DnsdistEviction;
  /** Of several replicas one writes them: while it is away, what is written stays. */
  statuses?: ObjectStatuses;
  zoneUpdates: ZoneUpdates;
  /** The DS records that a Zone has been published with. */
  dsOf: (resource: string) => readonly string[];
}

export async function kubernetesOf(options: KubernetesOptions): Promise<Kubernetes> {
  const { names, powerdns, database, observe, instance, resolver, replicas, dnsPort } = options;
  const { onMirrored, onSourceChange, sourceObjectOf, failureLog, log } = options;
  const client = new Client(await loadConfig());
  const seen = new SeenEntries(instance);
  const cluster = new AgentClient({
    client,
    namespace: names.namespace,
    pod: names.pod,
    declared: names['declared-config-map'],
    status: names['status-config-map'],
    claim: names.claim,
  });
  const sources = new Sources({
    client,
    failureLog,
    onMissing: (missing) => observe({ missing }),
    onServed: (served) => observe({ served }),
    onHealth: (failure) => observe({ reach: failure }),
    onChange: onSourceChange,
    seen,
  });
  const volumeClaim = new VolumeClaim({
    client: cluster,
    failureLog,
    onRefusal: (refusal) => observe({ storage: refusal }),
  });
  const secret = names['keys-secret'];
  const signer = new Signer({ powerdns, keys: new SecretKeys(cluster, secret), secret: `Secret ${secret}`, log });
  const mirrorName = names['kept-config-map'];
  const mirror = new RecordMirror({
    database,
    watermarks: new Watermarks({ powerdns, zone: canaryZone, createZone: () => createCanaryZone(powerdns) }),
    store: new ConfigMapMirror({ cluster, name: mirrorName, failureLog, onChange: onMirrored }),
    name: `ConfigMap ${mirrorName}`,
    log,
  });
  const events = new EventRecorder({
    create: (event) => cluster.createEvent(event),
    sourceObjectOf,
    referenceOf,
    instance,
    reporter: names.pod,
    failureLog,
    timeOf,
  });
  const splitDNS = new SplitDNS({
    cluster,
    memory: new ConfigMapMemory(cluster, names['tailnet-config-map']),
    isWriter: isFirst(names.pod),
    onState: (state) => observe({ splitDNS: state }),
    failureLog,
  });
  const peers = new PeerWatch({
    self: names.pod,
    replicas,
    pods: { read: (pod) => cluster.readPod(pod), mergeStatus: (pod, body) => cluster.mergePodStatus(pod, body) },
    isAnswering: (host = '127.0.0.1') => isAnswering({ host, port: dnsPort }),
    onRemoval: (pod) => {
      log.warn({ pod: pod.metadata.name }, 'took a replica that does not answer out of its Services');
      // Who may create none has this line.
      void cluster.createEvent(removalEvent(pod, names.pod)).catch(() => {});
    },
    failureLog,
  });
  const dnsdist = new DnsdistWatch({
    cluster,
    resolver,
    onState: (state) => observe({ resolver: state }),
    failureLog,
  });
  const eviction = new DnsdistEviction({
    pods: () => dnsdist.pods,
    isAnswering: (host) => isAnswering({ host, port: resolver()?.ports.agents ?? dnsPort }),
    evict: (pod) => cluster.evictPod(pod),
    onEviction: (pod) => log.warn({ pod }, 'evicted a pod of the resolver that does not answer'),
    failureLog,
  });
  return {
    ...(isFirst(names.pod) && { statuses: objectStatusesOf(cluster, seen, options) }),
    zoneUpdates: new ZoneUpdates({ instance, seen, timeOf }),
    dsOf: (resource) => (seen.get(resource) as ZoneEntry | undefined)?.dnssec?.ds ?? noDS,
    cluster,
    sources,
    volumeClaim,
    signer,
    mirror,
    events,
    splitDNS,
    peers,
    dnsdist,
    eviction,
  };
}

function objectStatusesOf(cluster: AgentClient, seen: SeenEntries, options: KubernetesOptions): ObjectStatuses {
  const { powerdns, instance, dnsPort, failureLog } = options;
  const health = new HealthWatch({
    powerdns,
    zone: canaryZone,
    createZone: () => createCanaryZone(powerdns),
    contentOf: passingContent,
    ask: (name, type, transport) => addressesAt({ host: '127.0.0.1', port: dnsPort }, { name, type, transport }),
    failureLog,
    timeOf,
  });
  return new ObjectStatuses({
    updates: new StatusUpdates({ instance, seen, health, timeOf }),
    health,
    writer: new StatusWriter({ cluster, instance, seen, failureLog, timeOf }),
  });
}

const noDS: readonly string[] = [];

/** Whether a pod is the first of its StatefulSet. */
const isFirst = (pod: string) => pod.endsWith('-0');

interface AddressQuestion {
  /** Absolute. */
  name: string;
  type: 'A' | 'AAAA';
  transport: Transport;
}

async function addressesAt(server: ServerAddress, { name, type, transport }: AddressQuestion): Promise<string[]> {
  const answers = await queryOnce({ server, name: withoutDot(name), type, transport, timeoutMs: 2_000 });
  return answers.flatMap((answer) => (answer.type === type ? [answer.data] : []));
}
