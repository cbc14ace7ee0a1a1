/** A folder of manifests as the objects of a cluster. */
import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { kinds, pathOf } from '../../functions/agent/sources/kind.ts';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { gateways } from '../../functions/contract/source-kinds.ts';
import { readObjects } from '../render.ts';

/** An object and the path of its collection. */
export interface Manifest {
  collection: string;
  object: KubernetesObject;
}

const collections: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(kinds).map(([kind, api]) => [`${kind}.${api.group}`, pathOf(api)])),
  [`Gateway.${gateways.group}`]: pathOf(gateways),
  'Namespace.': '/api/v1/namespaces',
};

const yaml = /\.(ya?ml|json)$/;

/**
 * The objects in all YAML and JSON files of a folder and its subfolders that the agent reads, and a Namespace for each of
 * theirs. Throws with the file that is no manifest.
 */
export function readManifests(folder: string): { manifests: Manifest[]; ignored: string[] } {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => yaml.test(file));
  const objects = files.sort().flatMap((file) => readFile(join(folder, file)));
  const manifests = objects.flatMap((object) => manifestOf(object) ?? []);
  const named = new Set(
    manifests.filter(({ object }) => object.kind === 'Namespace').map(({ object }) => object.metadata.name),
  );
  const missing = new Set(manifests.flatMap(({ object }) => object.metadata.namespace ?? [])).difference(named);
  const namespaces = [...missing].map((name) => ({
    collection: collections['Namespace.'] as string,
    object: {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    },
  }));
  const ignored = objects
    .filter((object) => !manifestOf(object))
    .map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
  return { manifests: [...namespaces, ...manifests], ignored };
}

function readFile(file: string): KubernetesObject[] {
  try {
    return readObjects(file);
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`);
  }
}

/** As the API server would store it. Undefined for a kind that the agent does not read. */
function manifestOf(object: KubernetesObject): Manifest | undefined {
  const { apiVersion = '', kind, metadata } = object;
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const collection = collections[`${kind}.${group}`];
  if (collection === undefined || !metadata?.name || version === undefined) return undefined;
  const isNamespaced = kind !== 'Namespace';
  return {
    collection,
    object: {
      ...object,
      metadata: {
        uid: `${kind}/${metadata.namespace ?? 'default'}/${metadata.name}`,
        creationTimestamp: '2026-01-01T00:00:00Z',
        ...metadata,
        ...(isNamespaced && { namespace: metadata.namespace ?? 'default' }),
      },
    } as KubernetesObject,
  };
}

/** Milliseconds. An editor writes a file in several steps. */
const settleMs = 100;

/** Calls `onChange` after every change in a folder. Returns a function that stops it. */
export function watchFolder(folder: string, onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, settleMs);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
