import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubernetesObject } from '../functions/cdk8s-function-xp/composition.ts';
import { errorsIn } from './crossplane.ts';
import { examples } from './examples.ts';
import { internalDNSOf } from './internal-dns/refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'render-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

const render = (...args: string[]): Promise<Result> =>
  new Promise((resolve) => {
    const program = join(import.meta.dirname, 'render.ts');
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

function file(name: string, content: object | string): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content));
  return path;
}

const documents = (text: string): KubernetesObject[] => parseAllDocuments(text).map((document) => document.toJS());
const annotation = 'crossplane.io/composition-resource-name';

describe('a valid InternalDNS', () => {
  test('is printed as Crossplane would apply it: the composite, then its objects by resource key', async () => {
    const { code, stdout, stderr } = await render(examples.minimal as string);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [composite, ...objects] = documents(stdout);
    expect(composite).toMatchObject({
      kind: 'InternalDNS',
      spec: { namespace: 'internal-dns', crossplane: { resourceRefs: expect.any(Array) } },
      status: { zonesServed: '0/1' },
    });
    expect(composite?.spec.crossplane.resourceRefs).toHaveLength(objects.length);
    expect(
      composite?.status.conditions.map(({ type, status }: { type: string; status: string }) => [type, status]),
    ).toEqual([
      ['Responsive', 'True'],
      ['ServerReady', 'False'],
      ['ZonesReady', 'False'],
      ['DiscoveryReady', 'False'],
      ['Resolvable', 'Unknown'],
      ['MonitoringReady', 'True'],
      ['TailnetReady', 'True'],
      ['Synced', 'True'],
      ['Ready', 'False'],
    ]);
    const keys = objects.map(({ metadata }) => metadata.annotations?.[annotation] ?? '');
    expect(keys).toContain('server/pods');
    expect(keys).toEqual([...keys].sort());
    for (const { metadata } of objects) {
      expect(metadata).toMatchObject({
        labels: { 'crossplane.io/composite': 'corp' },
        // What `crossplane composition render` of v2.4.0 prints for this name.
        ownerReferences: [{ kind: 'InternalDNS', name: 'corp', uid: '30851cfa-8dfd-570a-9c4f-b56276dac946' }],
      });
    }
  });

  test('is rendered with the observed objects', async () => {
    const first = documents((await render(examples.minimal as string)).stdout);
    const service = first.find(({ metadata }) => metadata.annotations?.[annotation] === 'services/dns')!;
    const observed = file('observed.yaml', { ...service, spec: { ...service.spec, clusterIPs: ['198.18.0.9'] } });
    const { code, stdout } = await render(examples.minimal as string, observed);
    expect(code).toBe(0);
    expect(documents(stdout)[0]?.status.address).toBe('198.18.0.9');
  });
});

test('an object from a cluster is rendered like the file that it was applied from', async () => {
  const zones = [{ name: 'corp.internal' }];
  const applied = internalDNSOf({ zones });
  const crossplane = {
    compositionRef: { name: 'internaldnses.dns.internal' },
    compositionUpdatePolicy: 'Automatic',
    resourceRefs: [{ apiVersion: 'v1', kind: 'Service', name: 'gone' }],
  };
  const uid = '0a1b2c3d-0000-1111-2222-0123456789ab';
  const live = {
    ...applied,
    metadata: {
      ...applied.metadata,
      uid,
      resourceVersion: '123',
      generation: 4,
      creationTimestamp: '2024-01-01T00:00:00Z',
      managedFields: [{ manager: 'kubectl' }],
    },
    spec: { zones, crossplane },
    status: { conditions: [{ type: 'Ready', status: 'True' }], zonesServed: '1/1' },
  };
  const [from, list, written] = await Promise.all([
    render(file('live.yaml', live)),
    render(file('list.yaml', { apiVersion: 'v1', kind: 'List', items: [live] })),
    render(file('applied.yaml', applied)),
  ]);
  expect(from).toMatchObject({ code: 0, stderr: '' });
  expect(list).toEqual(from);
  const [composite, ...objects] = documents(from.stdout);
  const [expected, ...others] = documents(written.stdout);
  expect(composite?.metadata).toEqual({ ...expected?.metadata, uid });
  expect(composite?.status).toEqual(expected?.status);
  expect(composite?.spec.crossplane).toEqual({ ...crossplane, ...expected?.spec.crossplane });
  expect(objects.map(({ metadata }) => metadata.name)).toEqual(others.map(({ metadata }) => metadata.name));
  expect(objects).toHaveLength(from.stdout.split(`uid: ${uid}\n`).length - 2);
});

describe('any other input exits with 1 and one line on stderr, and prints nothing', () => {
  const zones = [{ name: 'corp.internal' }];
  const cases: [string, object | string | undefined, RegExp][] = [
    [
      'a bad field',
      internalDNSOf({ zones: [{ name: 'Corp.internal' }] }),
      /cannot accept the spec: spec\.zones\[0\]\.name: /,
    ],
    ['a bad name', internalDNSOf({ zones }, 'my.corp'), /cannot accept metadata\.name "my\.corp": /],
    ['a field that does not exist', internalDNSOf({ zones, zone: 1 }), /spec\.zone is not a field$/m],
    [
      'another kind',
      { ...internalDNSOf({ zones }), kind: 'DNS' },
      /it has 0 objects of kind InternalDNS, not one; there is DNS$/m,
    ],
    [
      'another version',
      { ...internalDNSOf({ zones }), apiVersion: 'dns.internal/v1' },
      /it is dns\.internal\/v1 InternalDNS/,
    ],
    [
      'two objects',
      `${stringify(internalDNSOf({ zones }))}---\n${stringify(internalDNSOf({ zones }))}`,
      /it has 2 objects/,
    ],
    ['an empty file', '', /it has 0 objects/],
    ['only a ConfigMap', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'zones' } }, /it has 0 objects/],
    [
      'a bare Off, which is a boolean to Kubernetes',
      stringify(internalDNSOf({ zones: [{ name: 'corp.internal', dnssec: { mode: 'Off' } }] })).replace(
        /mode: .*/,
        'mode: Off',
      ),
      /spec\.zones\[0\]\.dnssec\.mode: invalid option: expected one of "Off"\|"Signed"\|"Unsigning"$/m,
    ],
    ['invalid YAML', '{ a: [', /at line 1, column 7$/m],
    ['a missing file', undefined, /ENOENT/],
  ];
  test.concurrent.for(cases)('%s', async ([name, content, message], { expect }) => {
    const path = content === undefined ? join(folder, 'none.yaml') : file(`${name}.yaml`, content);
    const { code, stdout, stderr } = await render(path);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.startsWith(`cannot render ${path}: `)).toBe(true);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

test('unknown fields are found at every depth, and no others', () => {
  const zones = [{ name: 'corp.internal' }];
  const spec = {
    zones: [{ name: 'a', nameserver: 'x' }],
    service: { tailscale: { host: 'x' }, annotations: { anything: 'goes' } },
    scheduling: { affinity: { anything: { goes: 1 } }, tolerations: [{ kee: 'x' }] },
    crossplane: { compositionRef: { name: 'x' } },
  };
  expect(errorsIn(internalDNSOf(spec))).toEqual([
    'spec.zones[0].nameserver is not a field',
    'spec.service.tailscale.host is not a field',
    'spec.scheduling.tolerations[0].kee is not a field',
  ]);
  expect(errorsIn({ ...internalDNSOf({ zones }), data: {} })).toEqual(['data is not a field']);
  expect(errorsIn(internalDNSOf({ zones }))).toEqual([]);
  expect(errorsIn(null as never)).toHaveLength(1);
});
