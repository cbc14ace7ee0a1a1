/** Generated objects as the agent lists them, without an API server. */
import { HostIndex } from '../../../../functions/agent/sources/host-index.ts';
import { type Kind, kinds } from '../../../../functions/agent/sources/kind.ts';
import { fromRoute } from '../../../../functions/agent/sources/kinds/attached-route.ts';
import { type Gateway, type GatewayObject, gatewayOf } from '../../../../functions/agent/sources/kinds/gateway.ts';
import type { SourceChange, SourceLister, SourceObject } from '../../../../functions/agent/sources/source-object.ts';
import type { DeclaredDiscovery, DeclaredSource } from '../../../../functions/contract/declaration.ts';
import type { GeneratedObject } from './objects.ts';

export class MemorySources extends HostIndex implements SourceLister {
  readonly #discovery: () => DeclaredDiscovery;
  readonly #objects = new Map<string, GeneratedObject>();
  readonly #gateways = new Map<string, Gateway>();
  readonly #labels = new Map<string, Record<string, string>>();

  constructor(discovery: () => DeclaredDiscovery, onChange?: (change: SourceChange) => void) {
    super(onChange);
    this.#discovery = discovery;
  }

  /** @param changedAt undefined for the first list */
  put(object: GeneratedObject, changedAt?: number): void {
    const { kind, metadata } = object;
    const key = `${metadata.namespace}/${metadata.name}`;
    if (kind === 'Namespace') this.#labels.set(metadata.name, metadata.labels);
    else if (kind === 'Gateway') this.#gateways.set(key, gatewayOf(object as GatewayObject, this.#discovery()));
    else this.#objects.set(`${kind}/${key}`, object);
    if (kind === 'Namespace' || kind === 'Gateway')
      for (const each of this.#objects.values()) this.#index(each, changedAt);
    else this.#index(object, changedAt);
  }

  remove({ kind, metadata }: GeneratedObject, changedAt?: number): void {
    this.#objects.delete(`${kind}/${metadata.namespace}/${metadata.name}`);
    this.set(`${kinds[kind]?.label}/${metadata.namespace}/${metadata.name}`, [], changedAt);
  }

  hasSynced(): boolean {
    return true;
  }

  isUnsynced(): boolean {
    return false;
  }

  unsynced(): undefined {
    return undefined;
  }

  namespaceLabels(namespace: string): Record<string, string> | undefined {
    return this.#labels.get(namespace);
  }

  #index(object: GeneratedObject, changedAt: number | undefined): void {
    const source = this.#discovery().sources.find(({ kind }) => kind === object.kind);
    const kind = kinds[object.kind];
    if (!source || !kind) return;
    const { namespace, name } = object.metadata;
    this.set(`${kind.label}/${namespace}/${name}`, this.#read(object, kind, source), changedAt);
  }

  #read(object: GeneratedObject, kind: Kind, source: DeclaredSource): readonly SourceObject[] {
    const read = kind.read(object as never, this.#discovery(), source);
    if (Array.isArray(read) || 'resource' in read) return Array.isArray(read) ? read : [];
    return fromRoute(read, source, (key) => this.#gateways.get(key), this.#labels.get(object.metadata.namespace ?? ''));
  }
}
