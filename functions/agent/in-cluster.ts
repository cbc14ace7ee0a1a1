import type { Logger } from 'pino';
import type { Observations } from './agent.ts';
import { EventRecorder } from './events/event-recorder.ts';
import { AgentClient } from './kubernetes/agent-client.ts';
import { Client } from './kubernetes/client.ts';
import { loadConfig } from './kubernetes/config.ts';
import { VolumeClaim } from './kubernetes/volume-claim.ts';
import { timeOf } from './lib/clock.ts';
import type { FailureLog } from './lib/failure-log.ts';
import { ConfigMapMirror } from './mirror/config-map.ts';
import { RecordMirror } from './mirror/record-mirror.ts';
import { Watermarks } from './mirror/watermark.ts';
import type { Options } from './options.ts';
import type { Database } from './powerdns/database.ts';
import type { PowerDNS } from './powerdns/powerdns.ts';
import { canaryZone, createCanaryZone } from './self-test/canary-record.ts';
import { SecretKeys } from './signing/secret.ts';
import { Signer } from './signing/signer.ts';
import { referenceOf } from './sources/kind.ts';
import { Sources } from './sources/sources.ts';

export interface KubernetesOptions {
  names: NonNullable<Options['cluster']>;
  powerdns: PowerDNS;
  database: Database;
  /** Receives what the watches of the cluster find out. */
  observations: Observations;
  /** The name of the InternalDNS. */
  instance: () => string;
  /** The mirror has changed. */
  onMirrored: () => void;
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
}

export async function kubernetesOf(options: KubernetesOptions): Promise<Kubernetes> {
  const { names, powerdns, database, observations, instance, onMirrored, failureLog, log } = options;
  const client = new Client(await loadConfig());
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
    onMissing: (missing) => {
      observations.missing = missing;
    },
    onServed: (served) => {
      observations.served = served;
    },
    onHealth: (failure) => {
      observations.reach = failure;
    },
  });
  const volumeClaim = new VolumeClaim({
    client: cluster,
    failureLog,
    onRefusal: (refusal) => {
      observations.storage = refusal;
    },
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
    sourceObjectOf: (resource) => sources.cache.getAny(resource),
    referenceOf,
    instance,
    reporter: names.pod,
    failureLog,
    timeOf,
  });
  return { cluster, sources, volumeClaim, signer, mirror, events };
}
