/** The health checks in examples/gitops, for what the function answers. */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../functions/cdk8s-function-xp/composition.ts';
import { run } from '../functions/cdk8s-function-xp/function.ts';
import type { Report } from '../functions/contract/report.ts';
import { internalDNS } from '../functions/internal-dns/composition.ts';
import { requestFor } from './cdk8s-function-xp/client.ts';
import { applied, defaulted } from './crossplane.ts';
import { examples } from './examples.ts';
import { type Answer, type Answers, answersFrom, namesOf } from './golden/answers.ts';
import { running } from './golden/cluster.ts';
import { internalDNSOf } from './internal-dns/refusals.ts';
import { find } from './programs.ts';
import { readComposite, readObjects } from './render.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'examples/gitops');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** A composite as it is in a cluster, after the response of its function. */
function after(composite: KubernetesObject, response: unknown): KubernetesObject {
  const [object] = applied(composite, RunFunctionResponse.fromJSON(response));
  return object as KubernetesObject;
}

/** Both answers in the golden file of minimal.yaml, the objects of the later one whole. */
const minimal = ((): Answers => {
  const documents = parseAllDocuments(read('test/golden/minimal.yaml'), { version: '1.1' });
  const [first, later] = documents.map((document) => document.toJS()) as [Answer, Answer];
  const resources = Object.entries(later.desired.resources).map(([key, value]) => [
    key,
    { ...first.desired.resources[key], ...value },
  ]);
  const desired = { ...later.desired, resources: Object.fromEntries(resources) };
  return { names: namesOf(readComposite(examples.minimal!)), first, later: { ...later, desired } };
})();

const goldens = Object.entries(examples).map(([name, file]) => {
  const answers = name === 'minimal' ? minimal : answersFrom(read(`test/golden/${name}.yaml`), minimal);
  const composite = readComposite(file);
  return { name, first: after(composite, answers.first), later: after(composite, answers.later) };
});

/** The composite in a golden file of test/golden/reports. */
function reported(name: string): KubernetesObject {
  const { composite, conditions } = parse(read(`test/golden/reports/${name}.yaml`), { version: '1.1' });
  return after(internalDNSOf({ zones: [{ name: 'corp.internal' }] }), { conditions, desired: { composite } });
}

/** The composite whose agents report this. */
function withReports(said: Partial<Report>): KubernetesObject {
  const composite = defaulted(internalDNSOf({ zones: [{ name: 'corp.internal' }] }));
  let last = run(requestFor(composite), internalDNS);
  // The declaration changes once the Service has addresses.
  for (let again = 0; again < 2; again++)
    last = run(requestFor(composite, running(composite, last, said)), internalDNS);
  const [object] = applied(composite, last);
  return object as KubernetesObject;
}

const ready = goldens.find(({ name }) => name === 'minimal')!.later;

/** The object with some members of its metadata, and some conditions, replaced. */
function changed(metadata: object, conditions: Record<string, object> = {}): KubernetesObject {
  const all = ready.status.conditions.map((condition: { type: string }) => ({
    ...condition,
    ...conditions[condition.type],
  }));
  return {
    ...ready,
    metadata: { ...ready.metadata, ...metadata },
    status: { ...ready.status, conditions: all },
  };
}

const error = { status: 'False', reason: 'ReconcileError', message: 'cannot compose resources: spec.zones: too long' };
const open = { status: 'False', reason: 'WatchCircuitOpen', message: 'Too many watch events from ConfigMap/x' };
const paused = { status: 'False', reason: 'ReconcilePaused', message: 'Reconciliation (including deletion) is paused' };
const pause = { annotations: { 'crossplane.io/paused': 'true' } };
const deleting = { deletionTimestamp: '2026-01-31T12:00:00Z' };

type Health = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended';
type Status = 'Current' | 'InProgress' | 'Failed';

/** Each state with the words of Argo CD and Flux, and what the message says. */
const states: [state: string, object: KubernetesObject, health: Health, status: Status, message: string | RegExp][] = [
  ['new', { ...ready, status: undefined }, 'Progressing', 'InProgress', /has not reconciled/],
  ['ready', ready, 'Healthy', 'Current', ''],
  [
    'with a new spec that Crossplane has not reconciled',
    changed({ generation: 2 }, { Synced: { observedGeneration: 1 }, Ready: { observedGeneration: 1 } }),
    'Progressing',
    'InProgress',
    /new spec/,
  ],
  [
    'with its latest spec reconciled',
    changed({ generation: 2 }, { Synced: { observedGeneration: 2 }, Ready: { observedGeneration: 2 } }),
    'Healthy',
    'Current',
    '',
  ],
  ['refused by the function', changed({}, { Synced: error }), 'Degraded', 'Failed', error.message],
  ['not responsive', changed({}, { Responsive: open }), 'Degraded', 'Current', open.message],
  ['paused', changed(pause, { Synced: paused }), 'Suspended', 'InProgress', /crossplane\.io\/paused/],
  ['paused a moment ago', changed(pause), 'Suspended', 'Current', /crossplane\.io\/paused/],
  ['resumed a moment ago', changed({}, { Synced: paused }), 'Progressing', 'InProgress', /resuming/],
  [
    'being deleted',
    changed(deleting, { Ready: { status: 'False', reason: 'Deleting' } }),
    'Progressing',
    'InProgress',
    /being deleted/,
  ],
  ['paused while being deleted', changed({ ...deleting, ...pause }), 'Suspended', 'Current', /crossplane\.io\/paused/],
  ['serving, with names that do not resolve', reported('names-that-do-not-resolve'), 'Healthy', 'Current', /pay\.corp/],
  ['not answering', reported('not-answering'), 'Degraded', 'InProgress', /PowerDNS does not answer/],
  [
    'with a zone that failed',
    withReports({ zones: [{ name: 'corp.internal', state: 'Failed', message: 'record 3: no address' }] }),
    'Degraded',
    'Failed',
    /record 3: no address/,
  ],
  [
    'waiting for the first loop of ExternalDNS',
    withReports({ discovery: { state: 'Waiting' } }),
    'Progressing',
    'InProgress',
    /first loop/,
  ],
  [
    'with ExternalDNS stalled',
    withReports({ discovery: { state: 'Stalled' } }),
    'Degraded',
    'InProgress',
    /stopped sending requests/,
  ],
];

describe('the health check of Argo CD', { tags: 'Lua' }, async () => {
  const key = 'resource.customizations.health.dns.internal_InternalDNS';
  const [config] = readObjects(join(folder, 'argocd/argocd-cm.yaml'));
  const lua = await find('Lua').catch(() => 'lua5.1');

  /** What the script returns for each object, with the libraries that Argo CD opens: base, table, and of os time and date. */
  function healthOf(script: string, objects: unknown[]): { status: string; message: string }[] {
    const program = `
      local write = io.write
      string, math, io, debug, coroutine, package, require = nil
      getmetatable("").__index = nil
      os = { time = os.time, date = os.date }
      local script = ${literal(script)}
      for _, each in ipairs(${literal(objects)}) do
        obj = each
        local health = assert(loadstring(script))()
        write(health.status, "\\n", health.message, "\\n")
      end`;
    const lines = execFileSync(lua, ['-'], { input: program, encoding: 'utf8' }).split('\n');
    return objects.map((_, index) => ({ status: lines[2 * index]!, message: lines[2 * index + 1]! }));
  }

  test.each(states)('of an InternalDNS that is %s', (_, object, status, _flux, message) => {
    const [health] = healthOf(config?.data[key], [object]);
    expect(health).toEqual({ status, message: typeof message === 'string' ? message : expect.stringMatching(message) });
  });

  test('says Progressing of every example while its objects are created, and Healthy when all is well', () => {
    const healths = healthOf(
      config?.data[key],
      goldens.flatMap(({ first, later }) => [first, later]),
    );
    expect(healths.map(({ status }) => status)).toEqual(goldens.flatMap(() => ['Progressing', 'Healthy']));
  });

  test('of an Application is its own', () => {
    const script = config?.data['resource.customizations.health.argoproj.io_Application'];
    expect(healthOf(script, [{}, { status: { health: { status: 'Degraded', message: 'm' } } }])).toEqual([
      { status: 'Progressing', message: '' },
      { status: 'Degraded', message: 'm' },
    ]);
  });
});

/** A value as an expression of Lua 5.1. */
function literal(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') {
    const bytes = [...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, '0')}`);
    return `"${bytes.join('')}"`;
  }
  if (Array.isArray(value)) return `{${value.map(literal).join(',')}}`;
  if (typeof value !== 'object') return String(value);
  return `{${Object.entries(value).map(([name, member]) => `[${literal(name)}]=${literal(member)}`)}}`;
}

describe('the health check of Flux', () => {
  const kustomization = readObjects(join(folder, 'flux/kustomizations.yaml')).find(
    ({ metadata }) => metadata.name === 'internal-dns-servers',
  );
  const [{ inProgress, failed, current }] = kustomization!.spec.healthCheckExprs;

  /** CEL is JavaScript here, but for macros. Where there is no status at all, CEL fails, on which Flux waits too. */
  const evaluate = (cel: string, object: KubernetesObject): boolean => {
    const script = cel.replaceAll('.exists(c, ', '.some((c) => ').replaceAll(/has\(([\w.]+)\)/g, '($1 !== undefined)');
    return new Function('status', 'metadata', `return ${script}`)(object.status ?? {}, object.metadata);
  };

  /** https://github.com/fluxcd/flux2/tree/main/rfcs/0009-custom-health-checks */
  function statusOf(object: KubernetesObject): Status {
    if (evaluate(inProgress, object)) return 'InProgress';
    if (evaluate(failed, object)) return 'Failed';
    return evaluate(current, object) ? 'Current' : 'InProgress';
  }

  test.each(states)('of an InternalDNS that is %s', (_, object, _health, status) => {
    expect(statusOf(object)).toBe(status);
  });

  test('says InProgress of every example while its objects are created, and Current when all is well', () => {
    const statuses = goldens.flatMap(({ first, later }) => [statusOf(first), statusOf(later)]);
    expect(statuses).toEqual(goldens.flatMap(() => ['InProgress', 'Current']));
  });
});

describe('the manifests', () => {
  const objects = globSync('**/*.yaml', { cwd: folder }).flatMap((file) => readObjects(join(folder, file)));
  const { version } = JSON.parse(read('package.json'));

  test('install the version of this repository', () => {
    const versions = objects.flatMap(({ kind, spec }) => {
      if (kind === 'Configuration' || kind === 'Function') return [spec.package.split(':').at(-1)];
      if (kind === 'GitRepository') return [spec.ref.tag];
      const ours = kind === 'Application' && spec.source.repoURL.includes('internal-dns-xp');
      return ours ? [spec.source.targetRevision] : [];
    });
    expect(versions).toEqual(versions.map(() => `v${version}`));
    expect(versions).toHaveLength(4);
  });

  test('apply roles, then the packages, then the servers', () => {
    const names = ['internal-dns-configuration', 'internal-dns-package', 'internal-dns-servers'];
    const waves = objects
      .filter(({ kind }) => kind === 'Application')
      .map(({ metadata }) => [metadata.annotations?.['argocd.argoproj.io/sync-wave'], metadata.name]);
    expect(waves.sort()).toEqual(names.map((name, wave) => [`${wave}`, name]));
    const dependencies = objects
      .filter(({ kind }) => kind === 'Kustomization')
      .map(({ metadata, spec }) => [metadata.name, spec.dependsOn?.[0].name]);
    expect(dependencies).toEqual(names.map((name, index) => [name, names[index - 1]]));
  });

  test('never prune the packages, whose deletion deletes every InternalDNS', () => {
    const pruned = objects
      .filter(({ metadata }) => metadata.name === 'internal-dns-package')
      .map(({ spec }) => spec.prune ?? spec.syncPolicy.automated.prune);
    expect(pruned).toEqual([false, false]);
  });
});
