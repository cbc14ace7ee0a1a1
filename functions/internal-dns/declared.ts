import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { type Declaration, declarationKey } from '../agent/declaration.ts';
import type { Names } from './names.ts';
import { seconds } from './rules.ts';
import type { Endpoint } from './service.ts';
import type { Spec } from './spec.ts';

/** The text that the agent reads: deterministic, because its hash is how a report says what it speaks of. */
export function declarationText(composite: string, spec: Spec, endpoint: Endpoint): string {
  const { zones, discovery, storage } = spec;
  const declared: Declaration = {
    zones: zones.map(({ name, nameServers }) => ({ name, nameServers })),
    addresses: endpoint.addresses,
    ...(discovery.sources.length > 0 && {
      discovery: { ownerID: discovery.ownerID ?? composite, intervalSeconds: seconds(discovery.interval) },
    }),
    storage: { size: storage.size },
  };
  return `${JSON.stringify(declared, null, 2)}\n`;
}

export interface MailboxesProps {
  spec: Spec;
  names: Names;
  labels: Record<string, string>;
  declaration: string;
}

/** The two ConfigMaps between function and agents: what is declared, and what they report. */
export class Mailboxes extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels, declaration }: MailboxesProps) {
    super(scope, id);
    new k8s.KubeConfigMap(this, 'declared', {
      metadata: { name: names.declared, namespace: spec.namespace, labels },
      data: { [declarationKey]: declaration },
    });
    // Without data: each agent applies its own key, and a field that we do not send stays theirs.
    new k8s.KubeConfigMap(this, 'status', { metadata: { name: names.status, namespace: spec.namespace, labels } });
  }
}
