import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { generated } from '../../functions/internal-dns/definition.ts';
import { definition, type Schema, schema } from '../crossplane.ts';
import { crds, schemaOf } from '../kinds.ts';

const root = join(import.meta.dirname, '../..');

describe('generated files are current', () => {
  test.for(Object.entries(generated))('%s', ([path, text]) => {
    expect(readFileSync(join(root, path), 'utf8'), 'run `make generate`').toBe(text);
  });
});

const schemas: [page: string, schema: Schema][] = [
  ['docs/api.md', schema],
  ...crds.map((crd): [string, Schema] => [`docs/${crd.spec.names.singular}-api.md`, schemaOf(crd)]),
];

describe.each(schemas)('%s', (file, schema) => {
  const page = generated[file] ?? '';

  test('has every field of the definition with its description', () => {
    for (const { path, node } of nodesIn(schema)) {
      const isField = path !== '' && !/\[\]$|\[\*\]$/.test(path);
      if (!isField || path === 'spec' || path === 'status') continue;
      expect(page).toContain(
        node.properties && /^(spec|status)\.[a-zA-Z]+$/.test(path) ? `### ${path}\n` : `| \`${path}\` |`,
      );
      expect(page, path).toContain(node.description);
    }
  });

  test('has the message of every rule', () => {
    for (const { node } of nodesIn(schema)) {
      for (const { message } of node['x-kubernetes-validations'] ?? []) {
        expect(page).toContain(message.replaceAll('*', '\\*'));
      }
    }
  });
});

// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
describe.each(schemas)('the schema in %s is accepted by Kubernetes', (file, schema) => {
  const allowed = [
    ...['type', 'format', 'description', 'default', 'enum', 'properties', 'required', 'items', 'additionalProperties'],
    ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties', 'anyOf'],
    ...['x-kubernetes-validations', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-int-or-string'],
    ...['x-kubernetes-list-type', 'x-kubernetes-list-map-keys'],
  ];
  const all = nodesIn(schema);
  const faults = (faultOf: (node: Schema & Record<string, unknown>, path: string) => string | false | undefined) =>
    all.flatMap(({ path, node }) => {
      const fault = faultOf(node as Schema & Record<string, unknown>, path);
      return fault ? [`${path}: ${fault}`] : [];
    });

  test('only with keywords whose errors are readable: a pattern shows its regular expression', () => {
    expect(
      faults((node) =>
        Object.keys(node)
          .filter((key) => !allowed.includes(key))
          .join(),
      ),
    ).toEqual([]);
  });

  test('with a type everywhere', () => {
    const intOrString = [{ type: 'integer' }, { type: 'string' }];
    expect(
      faults((node) => {
        if (node['x-kubernetes-int-or-string']) {
          const isExact = !node.type && JSON.stringify(node.anyOf) === JSON.stringify(intOrString);
          return !isExact && 'int-or-string takes exactly anyOf integer and string, and no type';
        }
        return !node.type || node.anyOf ? 'no type, or types inside anyOf' : false;
      }),
    ).toEqual([]);
  });

  test('with fields or a map, never both, and untyped only where that is explicit', () => {
    expect(
      faults((node) => {
        if (node.type === 'array') return !node.items && 'no items';
        if (node.type !== 'object') return node.items || node.properties ? 'a scalar with parts' : false;
        const shapes = [node.properties, node.additionalProperties, node['x-kubernetes-preserve-unknown-fields']];
        return (
          shapes.filter(Boolean).length !== 1 && 'not exactly one of properties, additionalProperties, unknown fields'
        );
      }),
    ).toEqual([]);
  });

  test('with defaults of the right type, and none for a required field', () => {
    expect(
      faults((node) => {
        const required = (node.required ?? []).filter((name) => node.properties?.[name]?.default !== undefined);
        const absent = (node.required ?? []).filter((name) => !node.properties?.[name]);
        const value = node.default;
        const type = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
        return [
          ...required.map((name) => `${name} is required and has a default`),
          ...absent.map((name) => `${name} is required and does not exist`),
          ...(value !== undefined && type !== node.type ? [`default of type ${type}`] : []),
          ...(value !== undefined && node.enum && !node.enum.includes(value as string) ? ['default not in enum'] : []),
        ].join();
      }),
    ).toEqual([]);
  });

  test('with bounds wherever a rule reads, so that its cost can be estimated', () => {
    expect(
      faults((node, path) => {
        if (!path.startsWith('spec')) return false;
        if (node.type === 'array') return node.maxItems === undefined && 'no maxItems';
        if (!node['x-kubernetes-validations'] || node.enum) return false;
        if (node.type === 'string') return node.maxLength === undefined && 'no maxLength';
        return node.additionalProperties && node.maxProperties === undefined && 'no maxProperties';
      }),
    ).toEqual([]);
    const integers = all.filter(({ node }) => node.type === 'integer');
    for (const { node } of integers) expect(Math.abs(node.maximum ?? 0)).toBeLessThan(2 ** 31);
  });

  test('with lists of objects as maps by a required key', () => {
    const lists = all.filter(({ node }) => node['x-kubernetes-list-type'] === 'map');
    expect(lists.map(({ path }) => path)).toEqual(
      file === 'docs/api.md'
        ? ['spec.zones', 'spec.discovery.sources', 'spec.additionalServices']
        : ['status.instances', 'status.instances[].conditions'],
    );
    for (const { node } of lists) {
      expect(node['x-kubernetes-list-map-keys']).toHaveLength(1);
      expect(node.items?.required).toEqual(expect.arrayContaining(node['x-kubernetes-list-map-keys'] ?? []));
    }
  });

  test('with a message of one line for every rule', () => {
    expect(
      faults((node) =>
        (node['x-kubernetes-validations'] ?? [])
          .filter(({ rule, message }) => !message || /\n/.test(message + rule) || message.length > 2048)
          .map(({ rule }) => rule)
          .join(),
      ),
    ).toEqual([]);
  });

  test('with a description of every field', () => {
    expect(
      faults((node, path) => /[a-z]$/i.test(path) && !['spec', 'status'].includes(path) && !node.description && 'none'),
    ).toEqual([]);
  });
});

describe('the definition', () => {
  test('has only what Crossplane preserves: no default of the spec, rules on metadata at the root only', () => {
    expect(schema.properties?.spec?.default).toBeUndefined();
    expect(Object.keys(schema.properties ?? {})).toEqual(['spec', 'status']);
  });

  test('lets kubectl get show the zones, the names and the address', () => {
    const [version] = definition.spec.versions;
    const columns: { name: string; jsonPath: string }[] = version.additionalPrinterColumns;
    expect(columns.map(({ name }) => name)).toEqual(['Zones', 'Names', 'Address']);
    for (const { jsonPath } of columns) {
      expect(jsonPath).toMatch(/^[.]status[.]/);
      expect(schema.properties?.status?.properties?.[jsonPath.replace('.status.', '')]?.type).toBe('string');
    }
  });

  test('has an explicit scope', () => {
    expect(definition.apiVersion).toBe('apiextensions.crossplane.io/v2');
    expect(definition.spec.scope).toBe('Cluster');
    expect(definition.metadata.name).toBe(`${definition.spec.names.plural}.${definition.spec.group}`);
  });
});

describe.each(crds)('the CRD $metadata.name', ({ metadata, spec }) => {
  const [version] = spec.versions;
  const schema = version.schema.openAPIV3Schema as Schema;

  test('is namespaced, with a status that only its writers change', () => {
    expect(spec.scope).toBe('Namespaced');
    expect(metadata.name).toBe(`${spec.names.plural}.${spec.group}`);
    expect(version.subresources).toEqual({ status: {} });
    expect(schema.required).toEqual(['spec']);
  });

  test('lets kubectl get show fields that exist', () => {
    const columns: { name: string; jsonPath: string }[] = version.additionalPrinterColumns;
    for (const { jsonPath } of columns.filter(({ name }) => name !== 'Age')) {
      const path = jsonPath
        .slice(1)
        .replaceAll(/\[.*?\]/g, '')
        .split('.');
      const field = path.reduce<Schema | undefined>((at, name) => (at?.items ?? at)?.properties?.[name], schema);
      expect(field, jsonPath).toBeDefined();
    }
  });
});

interface Place {
  path: string;
  node: Schema;
}

function nodesIn(node: Schema, path = ''): Place[] {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`);
  return [
    { path, node },
    ...Object.entries(node.properties ?? {}).flatMap(([name, child]) => nodesIn(child, below(name))),
    ...(node.items ? nodesIn(node.items, `${path}[]`) : []),
    ...(node.additionalProperties ? nodesIn(node.additionalProperties, `${path}[*]`) : []),
  ];
}
