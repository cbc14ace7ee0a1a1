import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { KubernetesObject } from '../cdk8s-function-xp/composition.ts';
import { type Declaration, type DeclaredZone, declarationKey } from '../contract/declaration.ts';
import { type WaysIn, waysInKey } from '../contract/ways-in.ts';
import { declaredZone } from '../contract/zone-records.ts';
import type { DeclaredRecord } from '../dns/record.ts';
import { declaredDiscovery } from './discovery/declaration.ts';
import type { Instance } from './instance.ts';
import { optionalKinds } from './monitoring/kind.ts';
import { namesOf } from './names.ts';
import type { Servers } from './resolver/backends.ts';
import { declaredResolver } from './resolver/declaration.ts';
import type { Endpoints } from './server/service.ts';
import type { Spec } from './spec.ts';
import { declaredSplitDNS, isTailnetOnly } from './tailnet/split-dns.ts';
import type { Signature } from './zones/signature.ts';
import type { SpecZone } from './zones/zone.ts';

/** What a declaration is derived from. */
export interface DeclarationInput {
  composite: string;
  spec: Spec;
  endpoints: Endpoints;
  /** By zone, without placeholders. */
  records: ReadonlyMap<string, DeclaredRecord[]>;
  /** The signatures published so far, by zone. */
  signatures: ReadonlyMap<string, Signature>;
  /** The time of the annotation that releases held names, in RFC 3339. */
  letGo?: string | undefined;
  /** The Service through which agents ask the resolver, if clients are led to it. */
  agentService?: KubernetesObject | undefined;
  /** What the resolver asks. */
  servers: Servers;
}

/** The declaration of what the agents serve. */
export function declarationOf({
  composite,
  spec,
  endpoints,
  records,
  signatures,
  letGo,
  agentService,
  servers,
}: DeclarationInput): Declaration {
  const { replicas, zones, discovery, storage } = spec;
  const { protocols } = spec.service;
  const names = namesOf(composite, replicas);
  const splitDNS = declaredSplitDNS(spec, names);
  return {
    name: composite,
    replicas,
    zones: zones.map((zone) => served(zone, records.get(zone.name) ?? [], signatures.get(zone.name))),
    addresses: endpoints.advertised.serverAddresses,
    ...(endpoints.replicas.length > 0 && { replicaAddresses: endpoints.replicas.map((each) => each.serverAddresses) }),
    service: agentService ? agentService.spec?.clusterIPs : endpoints.own.clusterIPs,
    ...(!agentService && protocols.length === 1 && { protocols }),
    ...(spec.resolver && agentService && { resolver: declaredResolver(spec, spec.resolver, names, servers) }),
    ...(splitDNS && { splitDNS }),
    ...(isTailnetOnly(spec) && { isTailnetOnly: true as const }),
    optional: optionalKinds(spec),
    ...(discovery.sources.length > 0 && { discovery: declaredDiscovery(discovery, composite, letGo) }),
    ...(storage.type === 'Volume' && { storage: { size: storage.size } }),
  };
}

function served(zone: SpecZone, records: DeclaredRecord[], signature: Signature | undefined): DeclaredZone {
  const files = zone.recordsFrom.map(({ configMapKeyRef: { name, key } }) => ({ configMap: name, key }));
  return declaredZone(zone, { records, files, ds: signature?.ds ?? [] });
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
  waysIn: WaysIn;
}

/** The ConfigMaps between function and agents: the declaration, the agents' reports, and what they keep. */
export class AgentConfigMaps extends Construct {
  constructor(scope: Construct, id: string, props: AgentConfigMapsProps) {
    super(scope, id);
    const { spec, names, labels, declarationText, waysIn } = props;
    new k8s.KubeConfigMap(this, 'declared', {
      metadata: { name: names.declared, namespace: spec.namespace, labels },
      data: { [declarationKey]: declarationText, [waysInKey]: `${printed(waysIn)}\n` },
    });
    // Without data: the agents write it, and own every field that the function does not apply.
    const isKept = declaredSplitDNS(spec, names) !== undefined;
    for (const id of ['status', 'kept', ...(isKept ? (['tailnet'] as const) : [])] as const) {
      new k8s.KubeConfigMap(this, id, { metadata: { name: names[id], namespace: spec.namespace, labels } });
    }
  }
}
