import type { Logger } from 'pino';
import { canaryZone, makeCanaryZone } from './canary/record.ts';
import { timeOf } from './clock.ts';
import { Cluster } from './cluster/cluster.ts';
import { StorageClaim } from './cluster/storage-claim.ts';
import type { Complaints } from './complaints.ts';
import { Events } from './events/events.ts';
import { Client } from './kubernetes/client.ts';
import { loadConfig } from './kubernetes/config.ts';
import { Agreements } from './mirror/agreement.ts';
import { ConfigMapMirror } from './mirror/config-map.ts';
import { RecordMirror } from './mirror/record-mirror.ts';
import type { Options } from './options.ts';
import type { Database } from './powerdns/database.ts';
import type { PowerDNS } from './powerdns/powerdns.ts';
import { SecretKeys } from './signing/secret.ts';
import { Signer } from './signing/signer.ts';
import type { Surroundings } from './surroundings.ts';
import { referenceOf } from './view/reference.ts';
import { View } from './view/view.ts';

export interface KubernetesOptions {
  names: NonNullable<Options['cluster']>;
  powerdns: PowerDNS;
  database: Database;
  /** Where what is found out goes. */
  surroundings: Surroundings;
  /** The name of the InternalDNS. */
  instance: () => string;
  /** Something is in the mirror that was not. */
  onMirrored: () => void;
  complaints: Complaints;
  log: Logger;
}

/** Everything that an agent has only where there is a cluster. */
export interface Kubernetes {
  cluster: Cluster;
  view: View;
  claim: StorageClaim;
  /** Keys are kept in the cluster; without one there is nothing to keep them in, and no zone is signed. */
  signer: Signer;
  mirror: RecordMirror;
  events: Events;
}

export async function kubernetesOf(options: KubernetesOptions): Promise<Kubernetes> {
  const { names, powerdns, database, surroundings, instance, onMirrored, complaints, log } = options;
  const client = new Client(await loadConfig());
  const cluster = new Cluster({
    client,
    namespace: names.namespace,
    pod: names.pod,
    declared: names['declared-config-map'],
    status: names['status-config-map'],
    claim: names.claim,
  });
  const view = new View({
    client,
    complaints,
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
  const claim = new StorageClaim({
    cluster,
    complaints,
    onRefusal: (refusal) => {
      surroundings.storage = refusal;
    },
  });
  const secret = names['keys-secret'];
  const signer = new Signer({ powerdns, keys: new SecretKeys(cluster, secret), secret: `Secret ${secret}`, log });
  const kept = names['kept-config-map'];
  const mirror = new RecordMirror({
    database,
    agreements: new Agreements({ powerdns, zone: canaryZone, make: () => makeCanaryZone(powerdns) }),
    store: new ConfigMapMirror({ cluster, name: kept, complaints, onChange: onMirrored }),
    name: `ConfigMap ${kept}`,
    log,
  });
  const events = new Events({
    create: (event) => cluster.createEvent(event),
    claimOf: (resource) => view.claims.known(resource),
    referenceOf,
    instance,
    reporter: names.pod,
    complaints,
    timeOf,
  });
  return { cluster, view, claim, signer, mirror, events };
}
