/** Pods as an API server keeps them: each write gives a pod another version, and one without a change does not. */
import { isDeepStrictEqual } from 'node:util';
import { isServing, type Pod, type PodCondition, withCondition } from '../../../functions/agent/kubernetes/pod.ts';
import type { Pods } from '../../../functions/agent/peers/removal.ts';

export class MemoryPods implements Pods {
  readonly pods = new Map<string, Pod>();
  readonly requests: string[] = [];
  #version = 1;

  constructor(...names: string[]) {
    for (const [index, name] of names.entries()) this.add(name, `192.0.2.${index}`);
  }

  get serving(): string[] {
    return [...this.pods].filter(([, pod]) => isServing(pod)).map(([name]) => name);
  }

  add(name: string, podIP: string): void {
    const metadata = { name, namespace: 'dns', uid: `${name} ${podIP}`, resourceVersion: `${this.#version++}` };
    this.pods.set(name, { metadata, status: { podIP, conditions: [{ type: 'Ready', status: 'True' }] } });
  }

  /** As kubelet does it, which asks for no version. */
  setReady(name: string, status: PodCondition['status']): void {
    const pod = this.pods.get(name) as Pod;
    this.#write(pod, withCondition(pod, { type: 'Ready', status }));
  }

  async read(name: string): Promise<Pod | undefined> {
    this.requests.push(`read ${name}`);
    return structuredClone(this.pods.get(name));
  }

  async mergeStatus(name: string, body: object): Promise<boolean> {
    this.requests.push(`write ${name}`);
    const { metadata, status } = body as Pod;
    const pod = this.pods.get(name);
    const { uid, resourceVersion } = pod?.metadata ?? {};
    if (!pod || uid !== metadata.uid || resourceVersion !== metadata.resourceVersion) return false;
    this.#write(pod, status?.conditions ?? []);
    return true;
  }

  #write(pod: Pod, conditions: PodCondition[]): void {
    if (isDeepStrictEqual(pod.status?.conditions, conditions)) return;
    const metadata = { ...pod.metadata, resourceVersion: `${this.#version++}` };
    this.pods.set(pod.metadata.name, { metadata, status: { ...pod.status, conditions } });
  }
}
