import { declarationKey } from '../../contract/declaration.ts';
import type { Client } from './client.ts';
import type { ConfigMap, CoreEvent, PersistentVolumeClaim, Secret } from './object.ts';
import { singleObjectInformer } from './single-object.ts';
import { ApiError, isApiError } from './status.ts';

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

/** Reads and patches the agent's own objects: ConfigMaps, Secret and PersistentVolumeClaim. Creates Events anywhere. */
export class AgentClient {
  readonly #options: AgentClientOptions;
  readonly #client: Client;

  constructor(options: AgentClientOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  /**
   * Calls `onText` with the declaration and each later version, and `onFailure` with why there are no updates; without an
   * argument, that there are again.
   */
  watchDeclaration(onText: (text: string) => void, onFailure: (failure?: string) => void): void {
    const { declared: name } = this.#options;
    let [failure, missing]: (string | undefined)[] = [];
    const report = () => onFailure(failure ?? missing);
    this.watchConfigMap(
      name,
      (configMap) => {
        const text = configMap?.data?.[declarationKey];
        missing = configMap ? `ConfigMap ${name} has no ${declarationKey}` : `ConfigMap ${name} does not exist`;
        if (text !== undefined) missing = undefined;
        report();
        if (text !== undefined) onText(text);
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
    const path = this.#pathOf('configmaps');
    const informer = singleObjectInformer<ConfigMap>({ client: this.#client, path, name, onChange, onFailure });
    return () => informer.stop();
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

/** Returns an error handler that ignores this status. */
const unless = (code: number) => (error: unknown) => {
  if (isApiError(error, code)) return undefined;
  throw error;
};
