import {
  ApiException,
  CoreV1Api,
  KubeConfig,
  ListWatch,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node';
import { declarationKey } from './declaration.ts';
import { messageOf } from './failure.ts';

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

/** The little of Kubernetes that the agent sees: two ConfigMaps and its own claim. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #config: KubeConfig;
  readonly #api: CoreV1Api;

  constructor({ config = inCluster(), ...options }: ClusterOptions) {
    this.#options = options;
    this.#config = config;
    this.#api = config.makeApiClient(CoreV1Api);
  }

  /**
   * Calls back with every declaration, the present one first, and with why it cannot hear of the next one or, without
   * an argument, that it can. A lost connection is opened again, for good.
   */
  watchDeclaration(onText: (text: string) => void, onFailure: (failure?: string) => void): void {
    const { namespace, declared: name } = this.#options;
    const fieldSelector = `metadata.name=${name}`;
    const list = async () => {
      const configMaps = await this.#api.listNamespacedConfigMap({ namespace, fieldSelector }).catch(inKubernetesWords);
      onFailure(configMaps.items.length > 0 ? undefined : `there is no ConfigMap ${name}`);
      return configMaps;
    };
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const take = ({ data }: V1ConfigMap) => {
      const text = data?.[declarationKey];
      if (text === undefined) onFailure(`ConfigMap ${name} has no ${declarationKey}`);
      else onText(text);
    };
    const start = (): void => {
      const watch = new ListWatch<V1ConfigMap>(path, new Watch(this.#config), list, false, undefined, fieldSelector);
      watch.on('add', take);
      watch.on('update', take);
      watch.on('error', retry);
      watch.start().catch(retry);
    };
    const retry = (error: unknown): void => {
      onFailure(messageOf(error));
      setTimeout(start, 1000 + Math.random() * 2000);
    };
    start();
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
}

/** The client's own message has the headers in it, and with them the time: it would be another one every time. */
function inKubernetesWords(error: unknown): never {
  if (!(error instanceof ApiException)) throw error;
  throw new Error(wordsOf(error));
}

const wordsOf = ({ body, code }: ApiException<unknown>) => statusMessage(body) ?? `Kubernetes answered ${code}`;

function statusMessage(body: unknown): string | undefined {
  try {
    const status = typeof body === 'string' ? JSON.parse(body) : body;
    return typeof status?.message === 'string' ? status.message : undefined;
  } catch {
    return undefined;
  }
}

function inCluster(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}
