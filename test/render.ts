/**
 * `make render`: prints what Crossplane would apply for the InternalDNS in a file, through the function over gRPC.
 *
 *     node test/render.ts XR [OBSERVED]
 *
 * OBSERVED has composed objects from a cluster, each with the annotation crossplane.io/composition-resource-name.
 */
import { readFileSync } from 'node:fs';
import type { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject, Observed } from '../functions/cdk8s-function-xp/composition.ts';
import { makeClient, requestFor } from './cdk8s-function-xp/client.ts';
import { applied, defaulted, errorsIn, refusalIn, yamlOf } from './crossplane.ts';
import { startFunction } from './function.ts';

/** The objects in a YAML file. Throws if it is not valid YAML. */
export function readObjects(file: string): KubernetesObject[] {
  // Kubernetes reads YAML 1.1, where a bare Off is false.
  const documents = parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' });
  return documents.flatMap((document) => {
    const [error] = document.errors;
    // The rest of the message is an excerpt of the file.
    if (error) throw new Error(error.message.split('\n')[0]?.replace(/:$/, ''));
    const object = document.toJS();
    if (object === null) return [];
    // The output of kubectl for several objects.
    return object.kind === 'List' && Array.isArray(object.items) ? object.items : [object];
  });
}

/** An InternalDNS and the ConfigMaps with its zone files. */
export interface Example {
  /** With the defaults of the definition. */
  composite: KubernetesObject;
  configMaps: KubernetesObject[];
}

/**
 * Reads the InternalDNS and the ConfigMaps in a file, which may have other objects. Throws unless it has exactly one InternalDNS,
 * with known fields only.
 */
export function readExample(file: string): Example {
  const objects = readObjects(file);
  const configMaps = objects.filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap');
  const composites = objects.filter(({ kind }) => kind === 'InternalDNS');
  const [composite] = composites;
  if (composites.length !== 1 || !composite) {
    const kinds = [...new Set(objects.map(({ kind }) => kind))].join(', ') || 'nothing';
    throw new Error(`it has ${composites.length} objects of kind InternalDNS, not one; there is ${kinds}`);
  }
  const errors = errorsIn(composite);
  if (errors.length > 0) throw new Error(errors.join('; '));
  return { composite: defaulted(written(composite)), configMaps };
}

/** An object from a cluster as it was applied: without the metadata that an API server adds, except the uid. */
function written({ metadata, ...object }: KubernetesObject): KubernetesObject {
  const kept = Object.entries(metadata).filter(([field]) => !added.includes(field));
  return { ...object, metadata: Object.fromEntries(kept) } as KubernetesObject;
}

const added = ['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'selfLink'];

/** The InternalDNS in a file, with the defaults of the definition. */
export const readComposite = (file: string): KubernetesObject => readExample(file).composite;

/** Calls the function at `address`, in plain text. Throws its FATAL message if it refuses the composite. */
export async function callFunction(
  address: string,
  composite: KubernetesObject,
  observed: Observed = {},
): Promise<RunFunctionResponse> {
  const client = makeClient({ address });
  try {
    const response = await client.run(requestFor(composite, observed));
    const refusal = refusalIn(response);
    if (refusal !== undefined) throw new Error(refusal);
    return response;
  } finally {
    client.close();
  }
}

function observedIn(file: string): Observed {
  const annotation = 'crossplane.io/composition-resource-name';
  return Object.fromEntries(
    readObjects(file).map((object) => {
      const key = object.metadata?.annotations?.[annotation];
      if (key === undefined) throw new Error(`${object.kind} ${object.metadata?.name} in ${file} has no ${annotation}`);
      return [key, object];
    }),
  );
}

async function main([file, observedFile]: string[]): Promise<void> {
  if (!file) throw new Error('which file? (make render XR=examples/minimal.yaml)');
  const composite = readComposite(file);
  const observed = observedFile ? observedIn(observedFile) : {};
  const running = await startFunction();
  try {
    const response = await callFunction(running.address, composite, observed);
    process.stdout.write(yamlOf(applied(composite, response, observed)));
  } finally {
    await running.stop();
  }
}

if (import.meta.main) {
  main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`cannot render ${process.argv[2] ?? 'nothing'}: ${error.message}\n`);
    process.exitCode = 1;
  });
}
