import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { type Declaration, type DeclaredZone, declarationKey } from '../contract/declaration.ts';
import type { DeclaredRecord } from '../dns/record.ts';
import { declaredDiscovery } from './discovery/declaration.ts';
import type { Instance } from './instance.ts';
import { optionalKinds } from './monitoring/kind.ts';
import type { Endpoint } from './server/service.ts';
import type { Spec } from './spec.ts';
import type { Signature } from './zones/signature.ts';
import type { SpecZone } from './zones/zone.ts';

/** What a declaration is derived from. */
export interface DeclarationInput {
  composite: string;
  spec: Spec;
  endpoint: Endpoint;
  /** By zone, without placeholders. */
  records: ReadonlyMap<string, DeclaredRecord[]>;
  /** The signatures published so far, by zone. */
  signatures: ReadonlyMap<string, Signature>;
  /** The time of the annotation that releases held names, in RFC 3339. */
  letGo?: string | undefined;
}

/** The declaration of what the agents serve. */
export function declarationOf({
  composite,
  spec,
  endpoint,
  records,
  signatures,
  letGo,
}: DeclarationInput): Declaration {
  const { replicas, zones, discovery, storage } = spec;
  const { addresses, clusterIPs } = endpoint;
  return {
    name: composite,
    replicas,
    zones: zones.map((zone) => declaredZone(zone, records.get(zone.name) ?? [], signatures.get(zone.name))),
    addresses,
    service: clusterIPs,
    optional: optionalKinds(spec),
    ...(discovery.sources.length > 0 && { discovery: declaredDiscovery(discovery, composite, letGo) }),
    storage: { size: storage.size },
  };
}

function declaredZone(zone: SpecZone, records: DeclaredRecord[], signature: Signature | undefined): DeclaredZone {
  const { name, nameServers, soa, defaultTTL, recordsFrom, dnssec } = zone;
  const files = recordsFrom.map(({ configMapKeyRef: { name, key } }) => ({ configMap: name, key }));
  return {
    name,
    nameServers,
    ...(soa && { soa }),
    ...(defaultTTL !== undefined && { defaultTTL }),
    ...(records.length > 0 && { records }),
    ...(files.length > 0 && { recordsFrom: files }),
    ...(dnssec && dnssec.mode !== 'Off' && { dnssec: { ...dnssec, mode: dnssec.mode, ds: signature?.ds ?? [] } }),
  };
}

/** A ConfigMap is limited to 1 MiB: https://kubernetes.io/docs/concepts/configuration/configmap/#motivation */
const maxBytes = 1_000_000;

/**
 * The text that the agent reads. Deterministic, because a report refers to its declaration by this text's hash. Throws
 * if it is too large for a ConfigMap.
 */
export function textOf(declaration: Declaration): string {
  const text = `${printed(declaration)}\n`;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const limit = maxBytes.toLocaleString('en');
  throw new Error(
    `cannot accept the spec: its zones take ${bytes.toLocaleString('en')} bytes, but only ${limit} fit into a ConfigMap: move records into a zone file and reference it in recordsFrom`,
  );
}

const maxLineLength = 120;

/** JSON for people: short values take one line, and each item of a list of objects has lines of its own. */
function printed(value: unknown, indent = ''): string {
  const line = JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return line;
  if (line.length <= maxLineLength && !line.includes('[{')) return line;
  const inner = `${indent}  `;
  const members = Array.isArray(value)
    ? value.map((item) => inner + printed(item, inner))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([name, member]) => `${inner}${JSON.stringify(name)}: ${printed(member, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${members.join(',\n')}\n${indent}${close}`;
}

export interface AgentConfigMapsProps extends Instance {
  /** The text of the declaration. */
  declarationText: string;
}

/** The ConfigMaps between function and agents: the declaration, the agents' reports, and the records that they keep. */
export class AgentConfigMaps extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels, declarationText }: AgentConfigMapsProps) {
    super(scope, id);
    new k8s.KubeConfigMap(this, 'declared', {
      metadata: { name: names.declared, namespace: spec.namespace, labels },
      data: { [declarationKey]: declarationText },
    });
    // Without data: the agents write it, and own every field that the function does not apply.
    for (const id of ['status', 'kept'] as const) {
      new k8s.KubeConfigMap(this, id, { metadata: { name: names[id], namespace: spec.namespace, labels } });
    }
  }
}
