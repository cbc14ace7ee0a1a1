import { declarationKey } from '../../contract/declaration.ts';
import { group, version } from '../../contract/kinds/group.ts';
import { sourceResources } from '../../contract/source-kinds.ts';
import { waysInKey } from '../../contract/ways-in.ts';
import type { Client } from './client.ts';
import type {
  ConfigMap,
  CoreEvent,
  Endpoints,
  KubernetesObject,
  PersistentVolumeClaim,
  Secret,
  Service,
} from './object.ts';
import type { Pod } from './pod.ts';
import { singleObjectInformer } from './single-object.ts';
import { ApiError, unless } from './status.ts';

export interface AgentClientOptions {
  client: Client;
  namespace: string;
  pod: string;
  /** ConfigMap of the declaration. */
  declared: string;
  /** ConfigMap of the reports. */
  status: string;
  /** PersistentVolumeClaim of the pod. */
  claim: string;
}

/** Result of creating an Event. */
export interface EventCreation {
  /**
   * `known`: it exists already. `gone`: its namespace does not exist, or is terminating. `forbidden`: RBAC, a quota or an
   * admission policy denies it for now. `invalid`: it will never be accepted.
   */
  result: 'created' | 'known' | 'gone' | 'forbidden' | 'invalid';
  /** Message of the API server, unless it was created. */
  failure?: string;
}

/** An object with an entry for each InternalDNS in its status. */
export interface StatusTarget {
  kind: 'Machine' | 'NameClaim' | 'Zone';
  namespace: string;
  name: string;
}

/** Result of applying an entry. */
export interface StatusApplication {
  /**
   * `gone`: the object does not exist. `conflict`: another writer was faster. `unbound`: the account has no right to.
   * `forbidden`: an admission policy denies it. `invalid`: it will never be accepted.
   */
  result: 'applied' | 'gone' | 'conflict' | 'unbound' | 'forbidden' | 'invalid';
  /** What is wrong and what to do, if someone has to do something. */
  failure?: string;
}

/**
 * Reads and patches the objects that the agent's Role names: ConfigMaps, Secrets, Services, their Endpoints, a
 * PersistentVolumeClaim and pods. Evicts pods. Creates Events, and writes the status of Machines and NameClaims, anywhere.
 */
export class AgentClient {
  readonly #options: AgentClientOptions;
  readonly #client: Client;

  constructor(options: AgentClientOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  /**
   * Calls `onText` with the declaration, and the ways in if they are known, and with each later version of either. Calls
   * `onFailure` with why there are no updates; without an argument, that there are again. `onExistence` gets whether the
   * ConfigMap exists.
   */
  watchDeclaration(
    onText: (text: string, waysIn?: string) => void,
    onFailure: (failure?: string) => void,
    onExistence: (exists: boolean) => void = () => {},
  ): void {
    const { declared: name } = this.#options;
    let [failure, missing]: (string | undefined)[] = [];
    const report = () => onFailure(failure ?? missing);
    this.watchConfigMap(
      name,
      (configMap) => {
        const text = configMap?.data?.[declarationKey];
        missing = configMap ? `ConfigMap ${name} has no ${declarationKey}` : `ConfigMap ${name} does not exist`;
        if (text !== undefined) missing = undefined;
        onExistence(configMap !== undefined);
        report();
        if (text !== undefined) onText(text, configMap?.data?.[waysInKey]);
      },
      (why) => {
        failure = why;
        report();
      },
    );
  }

  /**
   * Calls `onChange` with a ConfigMap and each later version, and with undefined while it does not exist. Returns a function
   * that stops it.
   */
  watchConfigMap(
    name: string,
    onChange: (configMap: ConfigMap | undefined) => void,
    onFailure: (failure?: string) => void,
  ): () => void {
    return this.#watch<ConfigMap>('configmaps', name, onChange, onFailure);
  }

  /** The same with a Service. */
  watchService(
    name: string,
    onChange: (service: Service | undefined) => void,
    onFailure: (failure?: string) => void,
  ): () => void {
    return this.#watch<Service>('services', name, onChange, onFailure);
  }

  /** The same with the Endpoints of a Service. */
  watchEndpoints(
    service: string,
    onChange: (endpoints: Endpoints | undefined) => void,
    onFailure: (failure?: string) => void,
  ): () => void {
    return this.#watch<Endpoints>('endpoints', service, onChange, onFailure);
  }

  /** Applies the pod's own key of the ConfigMap of reports. */
  async writeReport(text: string): Promise<void> {
    const { namespace, status: name, pod } = this.#options;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { [pod]: text } };
    await this.#client.apply(this.#pathOf('configmaps', name), body, { fieldManager: pod });
  }

  /**
   * Requests a size of the PersistentVolumeClaim. Returns why the API server refuses, for instance because the
   * StorageClass does not allow expansion.
   */
  async expandVolume(size: string): Promise<string | undefined> {
    const path = this.#pathOf('persistentvolumeclaims', this.#options.claim);
    try {
      const { spec } = await this.#client.get<PersistentVolumeClaim>(path);
      if (spec?.resources?.requests?.storage === size) return undefined;
      await this.#client.mergePatch(path, { spec: { resources: { requests: { storage: size } } } });
      return undefined;
    } catch (error) {
      if (error instanceof ApiError && error.code < 500) return error.message;
      throw error;
    }
  }

  /**
   * Throws if there is no answer, or one that asks for a retry.
   * @param timeoutMs short, as further events wait for this one
   */
  async createEvent(body: CoreEvent, timeoutMs = 10_000): Promise<EventCreation> {
    const { namespace = '' } = body.metadata;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      await this.#client.create(`/api/v1/namespaces/${namespace}/events`, body, { signal });
      return { result: 'created' };
    } catch (error) {
      const result = error instanceof ApiError ? resultOf(error) : undefined;
      if (error instanceof ApiError && result) return { result, failure: error.message };
      throw error;
    }
  }

  /**
   * Applies the entry of an InternalDNS in an object's status; without one, removes it. The list is a map by name, so the
   * field manager of an InternalDNS owns its entry and no other. Throws if there is no answer, or one that asks for a retry.
   * @param timeoutMs short, as further objects wait for this one
   */
  async applyStatusEntry(
    { kind, namespace, name }: StatusTarget,
    instance: string,
    entry: { name: string } | undefined,
    timeoutMs = 10_000,
  ): Promise<StatusApplication> {
    const { plural, label } = sourceResources[kind];
    const path = `/apis/${group}/${version}/namespaces/${namespace}/${plural}/${name}/status`;
    const metadata = { name, namespace };
    const body = { apiVersion: `${group}/${version}`, kind, metadata, status: { instances: entry ? [entry] : [] } };
    const fieldManager = `internal-dns-${instance}`;
    try {
      await this.#client.apply(path, body, { fieldManager, signal: AbortSignal.timeout(timeoutMs) });
      return { result: 'applied' };
    } catch (error) {
      const refusal = error instanceof ApiError ? refusalOf(error, { label, plural, namespace }) : undefined;
      if (refusal) return refusal;
      throw error;
    }
  }

  /** Returns undefined if it does not exist. */
  readConfigMap(name: string): Promise<ConfigMap | undefined> {
    return this.#client.get<ConfigMap>(this.#pathOf('configmaps', name)).catch(unless(404));
  }

  /** Returns false if the ConfigMap does not have the `resourceVersion` of `body` any more. */
  mergeConfigMap(name: string, body: object): Promise<boolean> {
    return this.#merge(this.#pathOf('configmaps', name), body);
  }

  /** Returns undefined if it does not exist. */
  readSecret(name: string): Promise<Secret | undefined> {
    return this.#client.get<Secret>(this.#pathOf('secrets', name)).catch(unless(404));
  }

  /** Returns false if the Secret does not have the `resourceVersion` of `body` any more. */
  mergeSecret(name: string, body: object): Promise<boolean> {
    return this.#merge(this.#pathOf('secrets', name), body);
  }

  /** Returns undefined if it does not exist. */
  readPod(name: string): Promise<Pod | undefined> {
    return this.#client.get<Pod>(this.#pathOf('pods', name)).catch(unless(404));
  }

  /** Throws while too few other pods would be left: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/ */
  async evictPod(name: string): Promise<void> {
    const metadata = { name, namespace: this.#options.namespace };
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata };
    await this.#client.create(this.#pathOf('pods', name, 'eviction'), body).catch(unless(404));
  }

  /** Returns false if the pod does not have the `resourceVersion` of `body` any more. */
  mergePodStatus(name: string, body: object): Promise<boolean> {
    return this.#merge(this.#pathOf('pods', name, 'status'), body);
  }

  #watch<T extends KubernetesObject>(
    plural: string,
    name: string,
    onChange: (object: T | undefined) => void,
    onFailure: (failure?: string) => void,
  ): () => void {
    const path = this.#pathOf(plural);
    const informer = singleObjectInformer<T>({ client: this.#client, path, name, onChange, onFailure });
    return () => informer.stop();
  }

  async #merge(path: string, body: object): Promise<boolean> {
    const merged = await this.#client.mergePatch(path, body, { fieldManager: this.#options.pod }).catch(unless(409));
    return merged !== undefined;
  }

  #pathOf(plural: string, ...name: string[]): string {
    return ['/api/v1/namespaces', this.#options.namespace, plural, ...name].join('/');
  }
}

/** Returns undefined for an error that is worth a retry. */
function resultOf({ code, message }: ApiError): EventCreation['result'] | undefined {
  // https://github.com/kubernetes/apiserver/blob/v0.34.4/pkg/admission/plugin/namespace/lifecycle/admission.go#L174
  if (code === 403) return /because it is being terminated/.test(message) ? 'gone' : 'forbidden';
  if (code === 404) return 'gone';
  if (code === 409) return 'known';
  return [400, 413, 422].includes(code) ? 'invalid' : undefined;
}

/** Returns undefined for an error that is worth a retry. */
function refusalOf(
  { code, message }: ApiError,
  { label, plural, namespace }: { label: string; plural: string; namespace: string },
): StatusApplication | undefined {
  if (code === 404) return { result: 'gone' };
  if (code === 409) return { result: 'conflict' };
  // https://github.com/kubernetes/apiserver/blob/v0.34.4/pkg/endpoints/handlers/responsewriters/errors.go
  if (code === 403 && message.includes(`cannot patch resource "${plural}/status"`)) {
    const role = `internal-dns:source:${label}`;
    return {
      result: 'unbound',
      failure: `its account may not patch ${plural}/status: apply configuration/sources.yaml of this version, whose ClusterRole ${role} allows it`,
    };
  }
  if (code === 403) {
    return { result: 'forbidden', failure: `${message}: let the admission policies for ${namespace} accept it` };
  }
  // A field that an older CRD does not have is an error of server-side apply itself.
  const isUnknownField = code === 500 && message.startsWith('failed to create typed patch object');
  if (![400, 413, 422].includes(code) && !isUnknownField) return undefined;
  return { result: 'invalid', failure: `${message}: apply configuration/${label}.yaml of this version` };
}
