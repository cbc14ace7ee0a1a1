import { declarationKey } from '../../contract/declaration.ts';
import type { Client } from './client.ts';
import type { ConfigMap, CoreEvent, PersistentVolumeClaim, Secret } from './object.ts';
import { informerOf } from './single-object.ts';
import { ApiError, isApiError } from './status.ts';

export interface ClusterOptions {
  client: Client;
  namespace: string;
  pod: string;
  /** ConfigMap of the declaration. */
  declared: string;
  /** ConfigMap of the reports. */
  status: string;
  claim: string;
}

/** What has become of an event that was to be created. */
export interface Creation {
  /**
   * `known`: there is one of that name. `gone`: its namespace is, or is about to be. `forbidden`: a right, a quota or a policy
   * is against it. `invalid`: it will never be taken.
   */
  result: 'created' | 'known' | 'gone' | 'forbidden' | 'invalid';
  /** Kubernetes' own words, where it was not created. */
  failure?: string;
}

/** The little of Kubernetes that the agent asks for by name: ConfigMaps, its own claim, the keys, and events to create. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #client: Client;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#client = options.client;
  }

  /**
   * Calls back with every declaration, the present one first, and with why it cannot hear of the next one or, without
   * an argument, that it can.
   */
  watchDeclaration(onText: (text: string) => void, onFailure: (failure?: string) => void): void {
    const { declared: name } = this.#options;
    let [failure, missing]: (string | undefined)[] = [];
    const note = () => onFailure(failure ?? missing);
    this.watchConfigMap(
      name,
      (configMap) => {
        const text = configMap?.data?.[declarationKey];
        missing = configMap ? `ConfigMap ${name} has no ${declarationKey}` : `there is no ConfigMap ${name}`;
        if (text !== undefined) missing = undefined;
        note();
        if (text !== undefined) onText(text);
      },
      (why) => {
        failure = why;
        note();
      },
    );
  }

  /**
   * Calls back with a ConfigMap as it is, then whenever it changes, and with undefined when it is not there. A lost
   * connection is opened again, until the result is called.
   */
  watchConfigMap(
    name: string,
    take: (configMap: ConfigMap | undefined) => void,
    onFailure: (failure?: string) => void,
  ): () => void {
    const path = this.#pathOf('configmaps');
    const informer = informerOf<ConfigMap>({ client: this.#client, path, name, onChange: take, onFailure });
    return () => informer.stop();
  }

  /** Server-side apply of one key: each pod owns its own. */
  async writeReport(text: string): Promise<void> {
    const { namespace, status: name, pod } = this.#options;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { [pod]: text } };
    await this.#client.apply(this.#pathOf('configmaps', name), body, { fieldManager: pod });
  }

  /** Asks for a claim of `size`; why Kubernetes refuses, as it does where the storage class cannot grow. */
  async growClaim(size: string): Promise<string | undefined> {
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
   * Throws when there is no answer, or one that may be another soon.
   * @param timeout milliseconds: others wait for it
   */
  async createEvent(body: CoreEvent, timeout = 10_000): Promise<Creation> {
    const { namespace = '' } = body.metadata;
    try {
      const signal = AbortSignal.timeout(timeout);
      await this.#client.create(`/api/v1/namespaces/${namespace}/events`, body, { signal });
      return { result: 'created' };
    } catch (error) {
      const result = error instanceof ApiError ? resultOf(error) : undefined;
      if (error instanceof ApiError && result) return { result, failure: error.message };
      throw error;
    }
  }

  /** Undefined when there is none. */
  readConfigMap(name: string): Promise<ConfigMap | undefined> {
    return this.#client.get<ConfigMap>(this.#pathOf('configmaps', name)).catch(unless(404));
  }

  /** Merges `body` into a ConfigMap; false when that is not at the `resourceVersion` of the body any more. */
  mergeConfigMap(name: string, body: object): Promise<boolean> {
    return this.#merge(this.#pathOf('configmaps', name), body);
  }

  /** Undefined when there is none. */
  readSecret(name: string): Promise<Secret | undefined> {
    return this.#client.get<Secret>(this.#pathOf('secrets', name)).catch(unless(404));
  }

  /** Merges `body` into a Secret; false when that is not at the `resourceVersion` of the body any more. */
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

/** Undefined for what may be otherwise next time. */
function resultOf({ code, message }: ApiError): Creation['result'] | undefined {
  // https://github.com/kubernetes/apiserver/blob/v0.34.4/pkg/admission/plugin/namespace/lifecycle/admission.go#L174
  if (code === 403) return /because it is being terminated/.test(message) ? 'gone' : 'forbidden';
  if (code === 404) return 'gone';
  if (code === 409) return 'known';
  return [400, 413, 422].includes(code) ? 'invalid' : undefined;
}

/** Takes an answer of this status for none. */
const unless = (code: number) => (error: unknown) => {
  if (isApiError(error, code)) return undefined;
  throw error;
};
