import { isIP } from 'node:net';
import type { ApiResource } from '../../contract/source-kinds.ts';
import { Informer, type InformerOptions } from '../kubernetes/informer.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { pathOf } from './kind.ts';

/**
 * Served by default from Kubernetes 1.33 on:
 * https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-cidr-v1/
 */
export const serviceCIDRs: ApiResource = { group: 'networking.k8s.io', version: 'v1', plural: 'servicecidrs' };

export const serviceCIDRsPath = pathOf(serviceCIDRs);

export interface ServiceRangesOptions extends Pick<InformerOptions<never>, 'client' | 'onFailure' | 'backoff'> {
  onChange: () => void;
  /** The host of the API server as pods have it, which is that of a Service. */
  apiServer?: string | undefined;
}

/** From where Services have their addresses. */
export class ServiceRanges {
  readonly #options: ServiceRangesOptions;
  readonly #known: readonly string[];
  #informer: Informer<readonly string[]> | undefined;
  #networks: readonly string[] | undefined;

  constructor(options: ServiceRangesOptions) {
    this.#options = options;
    const { apiServer = process.env.KUBERNETES_SERVICE_HOST ?? '' } = options;
    this.#known = isIP(apiServer) === 0 ? [] : [apiServer];
    this.#networks = this.#known;
  }

  /** CIDRs and addresses. Undefined while they cannot be read; the same array until something changes. */
  get networks(): readonly string[] | undefined {
    return this.#networks;
  }

  /** @param isServed undefined before API discovery has answered */
  update(isNeeded: boolean, isServed: boolean | undefined): void {
    const isWatched = isNeeded && isServed === true;
    if (isWatched !== (this.#informer !== undefined)) {
      this.#informer?.stop();
      this.#informer = isWatched ? this.#watch() : undefined;
    }
    this.#set(isNeeded && isServed !== false ? this.#listed() : this.#known);
  }

  #watch(): Informer<readonly string[]> {
    const { client, onFailure, backoff } = this.#options;
    const onChange = () => this.#set(this.#listed());
    return new Informer<readonly string[]>({
      ...{ client, path: serviceCIDRsPath },
      ...(onFailure && { onFailure }),
      ...(backoff && { backoff }),
      transform: ({ spec }: KubernetesObject & { spec?: { cidrs?: string[] } }) => spec?.cidrs ?? [],
      onChange,
      onSynced: onChange,
    });
  }

  #listed(): readonly string[] | undefined {
    return this.#informer?.hasSynced ? [...this.#known, ...[...this.#informer.store.values()].flat()] : undefined;
  }

  #set(networks: readonly string[] | undefined): void {
    if (networks?.join() === this.#networks?.join()) return;
    this.#networks = networks;
    this.#options.onChange();
  }
}
