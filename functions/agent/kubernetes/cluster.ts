import {
  ApiException,
  CoreV1Api,
  type CoreV1Event,
  KubeConfig,
  ListWatch,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Secret,
  Watch,
} from '@kubernetes/client-node';
import { declarationKey } from '../../contract/declaration.ts';
import { monotonicNow } from '../lib/clock.ts';
import { kubernetesWords, messageOf } from '../lib/error-message.ts';
import { ApiError, connectToPost, type Post } from './api-server.ts';

export interface ClusterOptions {
  namespace: string;
  pod: string;
  /** ConfigMap of the declaration. */
  declared: string;
  /** ConfigMap of the reports. */
  status: string;
  claim: string;
  config?: KubeConfig;
}

/** Milliseconds. */
const renewMs = 60_000;

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
  readonly #config: KubeConfig;
  readonly #api: CoreV1Api;
  #post: { post: Post; since: number } | undefined;

  constructor({ config = inCluster(), ...options }: ClusterOptions) {
    this.#options = options;
    this.#config = config;
    this.#api = config.makeApiClient(CoreV1Api);
  }

  /**
   * Calls back with every declaration, the present one first, and with why it cannot hear of the next one or, without
   * an argument, that it can.
   */
  watchDeclaration(onText: (text: string) => void, onFailure: (failure?: string) => void): void {
    const { declared: name } = this.#options;
    this.watchConfigMap(
      name,
      (configMap) => {
        const text = configMap?.data?.[declarationKey];
        if (text !== undefined) return onText(text);
        onFailure(configMap ? `ConfigMap ${name} has no ${declarationKey}` : `there is no ConfigMap ${name}`);
      },
      onFailure,
    );
  }

  /**
   * Calls back with a ConfigMap as it is, then whenever it changes, and with undefined when it is not there. A lost
   * connection is opened again, until the result is called.
   */
  watchConfigMap(
    name: string,
    take: (configMap: V1ConfigMap | undefined) => void,
    onFailure: (failure?: string) => void,
  ): () => void {
    const { namespace } = this.#options;
    const fieldSelector = `metadata.name=${name}`;
    let watch: ListWatch<V1ConfigMap>;
    let timer: NodeJS.Timeout | undefined;
    let isStopped = false;
    const list = async () => {
      const configMaps = await this.#api.listNamespacedConfigMap({ namespace, fieldSelector }).catch(inKubernetesWords);
      if (configMaps.items.length === 0) take(undefined);
      else onFailure();
      return configMaps;
    };
    const start = (): void => {
      const path = `/api/v1/namespaces/${namespace}/configmaps`;
      watch = new ListWatch<V1ConfigMap>(path, new Watch(this.#config), list, false, undefined, fieldSelector);
      watch.on('add', take);
      watch.on('update', take);
      watch.on('delete', () => take(undefined));
      watch.on('error', retry);
      watch.start().catch(retry);
    };
    const retry = (error: unknown): void => {
      if (isStopped) return;
      onFailure(messageOf(error));
      timer = setTimeout(start, 1000 + Math.random() * 2000);
    };
    start();
    return () => {
      isStopped = true;
      clearTimeout(timer);
      void watch.stop();
    };
  }

  /** Server-side apply of one key: each pod owns its own. */
  async writeReport(text: string): Promise<void> {
    const { namespace, status: name, pod } = this.#options;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { [pod]: text } };
    await this.#api
      .patchNamespacedConfigMap(
        { namespace, name, body, fieldManager: pod, force: true },
        setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
      )
      .catch(inKubernetesWords);
  }

  /** Asks for a claim of `size`; why Kubernetes refuses, as it does where the storage class cannot grow. */
  async growClaim(size: string): Promise<string | undefined> {
    const { namespace, claim: name } = this.#options;
    const body = { spec: { resources: { requests: { storage: size } } } };
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    try {
      const { spec } = await this.#api.readNamespacedPersistentVolumeClaim({ namespace, name });
      if (spec?.resources?.requests?.storage === size) return undefined;
      await this.#api.patchNamespacedPersistentVolumeClaim({ namespace, name, body }, merge);
      return undefined;
    } catch (error) {
      if (error instanceof ApiException && error.code < 500) return wordsOf(error);
      return inKubernetesWords(error);
    }
  }

  /**
   * Throws when there is no answer, or one that may be another soon.
   * @param timeout milliseconds: others wait for it
   */
  async createEvent(body: CoreV1Event, timeout = 10_000): Promise<Creation> {
    const { namespace = '' } = body.metadata;
    try {
      const post = await this.#posting();
      await post(`/api/v1/namespaces/${namespace}/events`, body, AbortSignal.timeout(timeout));
      return { result: 'created' };
    } catch (error) {
      const result = error instanceof ApiError ? resultOf(error) : undefined;
      if (error instanceof ApiError && result) return { result, failure: error.message };
      this.#post = undefined;
      throw error instanceof ApiError ? new Error(error.message) : error;
    }
  }

  /** A connection for many objects. The token in it is good for an hour, and is another one long before that. */
  async #posting(): Promise<Post> {
    if (!this.#post || monotonicNow() - this.#post.since > renewMs) {
      this.#post = { post: await connectToPost(this.#config), since: monotonicNow() };
    }
    return this.#post.post;
  }

  /** Undefined when there is none. */
  async readConfigMap(name: string): Promise<V1ConfigMap | undefined> {
    const { namespace } = this.#options;
    return this.#api.readNamespacedConfigMap({ namespace, name }).catch(unless(404));
  }

  /** Merges `body` into a ConfigMap; false when that is not at the `resourceVersion` of the body any more. */
  async mergeConfigMap(name: string, body: object): Promise<boolean> {
    const { namespace, pod: fieldManager } = this.#options;
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    const merged = await this.#api
      .patchNamespacedConfigMap({ namespace, name, body, fieldManager }, merge)
      .catch(unless(409));
    return merged !== undefined;
  }

  /** Undefined when there is none. */
  async readSecret(name: string): Promise<V1Secret | undefined> {
    const { namespace } = this.#options;
    return this.#api.readNamespacedSecret({ namespace, name }).catch(unless(404));
  }

  /** Merges `body` into a Secret; false when that is not at the `resourceVersion` of the body any more. */
  async mergeSecret(name: string, body: object): Promise<boolean> {
    const { namespace, pod: fieldManager } = this.#options;
    const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    const merged = await this.#api
      .patchNamespacedSecret({ namespace, name, body, fieldManager }, merge)
      .catch(unless(409));
    return merged !== undefined;
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
const unless = (code: number) => (error: unknown) =>
  error instanceof ApiException && error.code === code ? undefined : inKubernetesWords(error);

/** The client's own message has the headers in it, and with them the time: it would be another one every time. */
function inKubernetesWords(error: unknown): never {
  if (!(error instanceof ApiException)) throw error;
  throw new Error(wordsOf(error));
}

const wordsOf = ({ body, code }: ApiException<unknown>) => kubernetesWords(code, body);

/** The cluster that this process runs in, or that of KUBECONFIG. */
export function inCluster(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}
