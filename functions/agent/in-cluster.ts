import type { Logger } from 'pino';
import { Events } from './events/events.ts';
import { Client } from './kubernetes/client.ts';
import { Cluster } from './kubernetes/cluster.ts';
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
import { canaryZone, makeCanaryZone } from './self-test/canary-record.ts';
import { SecretKeys } from './signing/secret.ts';
import { Signer } from './signing/signer.ts';
import { referenceOf } from './sources/object-reference.ts';
import { Sources } from './sources/sources.ts';
import type { Observations } from './surroundings.ts';

export interface KubernetesOptions {
  names: NonNullable<Options['cluster']>;
  powerdns: PowerDNS;
  database: Database;
  /** Where what is found out goes. */
  surroundings: Observations;
  /** The name of the InternalDNS. */
  instance: () => string;
  /** Something is in the mirror that was not. */
  onMirrored: () => void;
  failureLog: FailureLog;
  log: Logger;
}

/** Everything that an agent has only where there is a cluster. */
export interface Kubernetes {
  cluster: Cluster;
  sources: Sources;
  claim: VolumeClaim;
  /** Keys are kept in the cluster; without one there is nothing to keep them in, and no zone is signed. */
  signer: Signer;
  mirror: RecordMirror;
  events: Events;
}

export async function kubernetesOf(options: KubernetesOptions): Promise<Kubernetes> {
  const { names, powerdns, database, surroundings, instance, onMirrored, failureLog, log } = options;
  const client = new Client(await loadConfig());
  const cluster = new Cluster({
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
      surroundings.missing = missing;
    },
    onServed: (served) => {
      surroundings.served = served;
    },
    onReach: (failure) => {
      surroundings.reach = failure;
    },
  });
  const claim = new VolumeClaim({
    cluster,
    failureLog,
    onRefusal: (refusal) => {
      surroundings.storage = refusal;
    },
  });
  const secret = names['keys-secret'];
  const signer = new Signer({ powerdns, keys: new SecretKeys(cluster, secret), secret: `Secret ${secret}`, log });
  const kept = names['kept-config-map'];
  const mirror = new RecordMirror({
    database,
    watermarks: new Watermarks({ powerdns, zone: canaryZone, createZone: () => makeCanaryZone(powerdns) }),
    store: new ConfigMapMirror({ cluster, name: kept, failureLog, onChange: onMirrored }),
    name: `ConfigMap ${kept}`,
    log,
  });
  const events = new Events({
    create: (event) => cluster.createEvent(event),
    sourceObjectOf: (resource) => sources.cache.getAny(resource),
    referenceOf,
    instance,
    reporter: names.pod,
    failureLog,
    timeOf,
  });
  return { cluster, sources, claim, signer, mirror, events };
}
