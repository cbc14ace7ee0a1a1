/** The committed CRDs of the namespaced kinds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KubernetesObject } from '../functions/cdk8s-function-xp/composition.ts';
import type { Schema } from './crossplane.ts';

export const crds: KubernetesObject[] = ['machine', 'nameclaim', 'zone'].map((name) =>
  parse(readFileSync(join(import.meta.dirname, `../configuration/${name}.yaml`), 'utf8')),
);

/** The schema of spec and status. */
export function schemaOf(crd: KubernetesObject): Schema {
  const { spec, status } = crd.spec.versions[0].schema.openAPIV3Schema.properties;
  return { ...crd.spec.versions[0].schema.openAPIV3Schema, properties: { spec, status } };
}
