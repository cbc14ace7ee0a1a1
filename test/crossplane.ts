/** What Crossplane does before and after a function, as shown by `crossplane composition render --xrd -x`. Pure. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ready, type RunFunctionResponse, Severity, Status } from '@crossplane-org/function-sdk-typescript';
import { parse, stringify } from 'yaml';
import type { KubernetesObject, Observed } from '../functions/cdk8s-function-xp/composition.ts';

/** The parts of a structural schema that tests read. */
export interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  'x-kubernetes-validations'?: { rule: string; message: string }[];
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
}

/** The committed CompositeResourceDefinition. */
export const definition = parse(
  readFileSync(join(import.meta.dirname, '../apis/internaldns/definition.yaml'), 'utf8'),
) as KubernetesObject;

const version = definition.spec.versions[0];
const gvk = { apiVersion: `${definition.spec.group}/${version.name}`, kind: definition.spec.names.kind as string };

/** The schema of an InternalDNS, without the fields that Crossplane adds. */
export const schema = version.schema.openAPIV3Schema as Schema;

/**
 * Returns why an API server would refuse or silently prune a composite: another kind, and unknown fields, each with its path. The
 * function checks rules and types.
 */
export function errorsIn(composite: KubernetesObject): string[] {
  const { apiVersion, kind, metadata } = composite ?? {};
  if (apiVersion !== gvk.apiVersion || kind !== gvk.kind) {
    return [`it is ${apiVersion ?? 'no apiVersion'} ${kind ?? 'and no kind'}, not ${gvk.apiVersion} ${gvk.kind}`];
  }
  if (typeof metadata?.name !== 'string') return ['metadata.name is missing'];
  // https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/; in an object from a cluster Crossplane
  // has set spec.crossplane and parts of the status.
  const open = { 'x-kubernetes-preserve-unknown-fields': true };
  const { spec, ...rest } = schema.properties ?? {};
  const object: Schema = {
    properties: {
      ...rest,
      status: open,
      apiVersion: {},
      kind: {},
      metadata: open,
      spec: { ...spec, properties: { ...spec?.properties, crossplane: open } },
    },
  };
  return unknownFields(composite, object, '').map((path) => `${path} is not a field`);
}

/** Paths of the fields of `value` that `schema` does not have. */
export function unknownFields(value: unknown, schema: Schema, path: string): string[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.flatMap((item, index) => unknownFields(item, items, `${path}[${index}]`)) : [];
  }
  const known = (name: string) => schema.additionalProperties ?? schema.properties?.[name];
  if (!schema.properties && !schema.additionalProperties) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const field = path === '' ? name : `${path}.${name}`;
    const fieldSchema = known(name);
    return fieldSchema ? unknownFields(member, fieldSchema, field) : [field];
  });
}

/** The composite with the defaults of the definition, as an API server stores it. */
export function defaulted(composite: KubernetesObject): KubernetesObject {
  return withDefaults(composite, schema) as KubernetesObject;
}

function withDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => (schema.items ? withDefaults(item, schema.items) : item));
  if (typeof value !== 'object' || value === null || !schema.properties) return value;
  const object: Record<string, unknown> = { ...value };
  for (const [name, field] of Object.entries(schema.properties)) {
    // An API server replaces a null by the default.
    if ((object[name] ?? undefined) === undefined && field.default !== undefined) object[name] = field.default;
    if (object[name] !== undefined) object[name] = withDefaults(object[name], field);
  }
  return object;
}

/** The message of the FATAL result; undefined without one. */
export function refusalIn({ results }: RunFunctionResponse): string | undefined {
  return results.find(({ severity }) => severity === Severity.SEVERITY_FATAL)?.message;
}

/** The objects that Crossplane applies: the composite with status and conditions, then the composed objects by resource key. */
export function applied(
  composite: KubernetesObject,
  response: RunFunctionResponse,
  observed: Observed = {},
): KubernetesObject[] {
  const uid = composite.metadata.uid ?? uidOf(composite);
  const resources = Object.entries(response.desired?.resources ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const composed = resources.map(([key, { resource }]) =>
    owned(key, resource as KubernetesObject, composite, uid, observed[key]),
  );
  const { status } = (response.desired?.composite?.resource ?? {}) as { status?: object };
  const refs = composed.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
    apiVersion,
    kind,
    name,
    ...(namespace && { namespace }),
  }));
  const orderOf = (ref: (typeof refs)[number]) => `${ref.apiVersion}${ref.kind}${ref.name}${ref.namespace ?? ''}`;
  refs.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return [
    {
      ...composite,
      spec: { ...composite.spec, crossplane: { ...composite.spec?.crossplane, resourceRefs: refs } },
      status: { ...status, conditions: conditionsOf(response) },
    },
    ...composed,
  ];
}

/** The uid of a composite in a render: https://github.com/crossplane/crossplane/blob/v2.4.0/internal/render/composite/render.go */
export function uidOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  const name = `${apiVersion}, Kind=${kind}\0${metadata.namespace ?? ''}\0${metadata.name}`;
  // RFC 9562 section 5.5, in the namespace of all zeros.
  const hash = createHash('sha1').update(Buffer.alloc(16)).update(name).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * https://github.com/crossplane/crossplane/blob/v2.4.0/internal/controller/apiextensions/composite/composition_render.go
 * Crossplane sets a generateName only for resources without a name, and ours have one.
 */
function owned(
  key: string,
  resource: KubernetesObject,
  { apiVersion, kind, metadata: { name } }: KubernetesObject,
  uid: string,
  observed: KubernetesObject | undefined,
): KubernetesObject {
  const { metadata } = resource;
  return {
    ...resource,
    metadata: {
      ...metadata,
      ...(observed && { name: observed.metadata.name }),
      ...(observed?.metadata.namespace && { namespace: observed.metadata.namespace }),
      labels: { ...metadata.labels, 'crossplane.io/composite': name },
      annotations: { ...metadata.annotations, 'crossplane.io/composition-resource-name': key },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
  } as KubernetesObject;
}

const statuses: Partial<Record<Status, string>> = {
  [Status.STATUS_CONDITION_TRUE]: 'True',
  [Status.STATUS_CONDITION_FALSE]: 'False',
};

function conditionsOf({ conditions, desired }: RunFunctionResponse): object[] {
  const own = conditions.map(({ type, status, reason, message }) => ({
    type,
    status: statuses[status] ?? 'Unknown',
    reason,
    ...(message && { message }),
  }));
  const all = [
    { type: 'Responsive', status: 'True', reason: 'WatchCircuitClosed' },
    ...own,
    { type: 'Synced', status: 'True', reason: 'ReconcileSuccess' },
    readyCondition(desired),
  ];
  return all.map((condition) => ({ ...condition, lastTransitionTime: '2024-01-01T00:00:00Z' }));
}

function readyCondition(desired: RunFunctionResponse['desired']): object {
  const available = { type: 'Ready', status: 'True', reason: 'Available' };
  const creating = { type: 'Ready', status: 'False', reason: 'Creating' };
  if (desired?.composite?.ready === Ready.READY_TRUE) return available;
  if (desired?.composite?.ready === Ready.READY_FALSE) return creating;
  const unready = Object.entries(desired?.resources ?? {}).filter(([, { ready }]) => ready !== Ready.READY_TRUE);
  if (unready.length === 0) return available;
  return { ...creating, message: `Unready resources: ${firstThree(unready.map(([key]) => key).sort())}` };
}

// https://github.com/crossplane/crossplane-runtime/blob/v2.4.0/pkg/resource/resource.go#L449
function firstThree(keys: string[]): string {
  if (keys.length < 3) return keys.join(', ');
  const last = keys.length === 3 ? keys[2] : `${keys.length - 3} more`;
  return `${keys.slice(0, keys.length === 3 ? 2 : 3).join(', ')}, and ${last}`;
}

/** YAML as kubectl and Crossplane write it, except that they fold lines of more than 80 characters. */
export function yamlOf(documents: readonly object[]): string {
  // Quotes what YAML 1.1, the version of Kubernetes, reads as a date or a boolean.
  const options = { version: '1.1', sortMapEntries: true, indentSeq: false, lineWidth: 0 } as const;
  return documents.map((d) => `---\n${stringify(d, { ...options, aliasDuplicateObjects: false })}`).join('');
}
