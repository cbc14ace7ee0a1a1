import {
  CoreV1Api,
  KubeConfig,
  ListWatch,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node';
import { declarationKey } from './declaration.ts';

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

  /** Calls back with every declaration, the present one first. A lost connection is opened again, for good. */
  watchDeclaration(onText: (text: string) => void, onError: (error: unknown) => void): void {
    const { namespace, declared: name } = this.#options;
    const fieldSelector = `metadata.name=${name}`;
    const list = () => this.#api.listNamespacedConfigMap({ namespace, fieldSelector });
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const watch = new ListWatch<V1ConfigMap>(path, new Watch(this.#config), list, false, undefined, fieldSelector);
    const take = ({ data }: V1ConfigMap) => {
      const text = data?.[declarationKey];
      if (text !== undefined) onText(text);
    };
    const start = (): void => {
      watch.start().catch(retry);
    };
    const retry = (error: unknown): void => {
      onError(error);
      setTimeout(start, 1000 + Math.random() * 2000);
    };
    watch.on('add', take);
    watch.on('update', take);
    watch.on('error', retry);
    start();
  }

  /** Server-side apply of one key: each pod owns its own. */
  async writeReport(text: string): Promise<void> {
    const { namespace, status: name, pod } = this.#options;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { [pod]: text } };
    await this.#api.patchNamespacedConfigMap(
      { namespace, name, body, fieldManager: pod, force: true },
      setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply),
    );
  }

  /** Asks for a claim of `size`; Kubernetes refuses where the storage class cannot grow. */
  async growClaim(size: string): Promise<void> {
    const { namespace, claim: name } = this.#options;
    const { spec } = await this.#api.readNamespacedPersistentVolumeClaim({ namespace, name });
    if (spec?.resources?.requests?.storage === size) return;
    const body = { spec: { resources: { requests: { storage: size } } } };
    await this.#api.patchNamespacedPersistentVolumeClaim(
      { namespace, name, body },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  }
}

function inCluster(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}
