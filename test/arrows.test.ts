import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const functions = join(import.meta.dirname, '../functions');

/** What each folder of functions/ may import, apart from itself and packages: a folder, or a file if only that is shared. */
const arrows: Record<string, readonly string[]> = {
  dns: [],
  contract: ['dns'],
  // What is told to resolvers.
  connect: ['contract', 'dns'],
  'cdk8s-function-xp': [],
  'internal-dns': ['contract', 'dns', 'cdk8s-function-xp/composition.ts'],
  agent: ['connect', 'contract', 'dns'],
  // It writes an InternalDNS.
  import: ['dns', 'internal-dns/zones/zone.ts'],
  // It reads what the agent and the function report.
  'kubectl-idns': ['connect', 'contract', 'dns', 'import'],
  // The build: it rewrites the manifests of the packages, and knows the images that a release pins.
  package: [
    'internal-dns/server/powerdns.ts',
    'internal-dns/server/external-dns.ts',
    'internal-dns/resolver/dnsdist.ts',
  ],
};

/** The same for the folders of the agent, beside `lib`, `connect`, `contract` and `dns`. What is loose in agent/ wires them together. */
const agentArrows: Record<string, readonly string[]> = {
  lib: [],
  resolver: [],
  kubernetes: [],
  peers: ['kubernetes', 'self-test'],
  dnsdist: ['kubernetes', 'self-test'],
  powerdns: [],
  sources: ['kubernetes', 'powerdns'],
  signing: ['kubernetes', 'powerdns'],
  'self-test': ['powerdns'],
  discovery: ['sources', 'resolver', 'powerdns'],
  machines: ['discovery', 'sources', 'powerdns', 'kubernetes', 'zones/lua.ts', 'zones/ptr-records.ts'],
  zones: ['discovery', 'signing', 'powerdns', 'kubernetes'],
  'team-zones': ['discovery', 'machines', 'sources', 'powerdns', 'kubernetes', 'zones/served-declaration.ts'],
  mirror: ['discovery', 'powerdns', 'kubernetes'],
  names: ['discovery', 'sources', 'resolver', 'powerdns'],
  events: ['sources', 'kubernetes'],
  tailnet: ['kubernetes'],
  http: ['agent.ts', 'names', 'discovery', 'zones', 'self-test', 'powerdns'],
};

const everywhere = ['agent/lib', 'connect', 'contract', 'dns'];
const all = {
  ...arrows,
  ...Object.fromEntries(
    Object.entries(agentArrows).map(([folder, allowed]) => [
      `agent/${folder}`,
      [...allowed.map((place) => `agent/${place}`), ...everywhere],
    ]),
  ),
};

const filesIn = (folder: string) =>
  globSync('**/*.ts', { cwd: join(functions, folder) }).map((file) => `${folder}/${file}`);

const importsOf = (file: string): string[] => {
  const text = readFileSync(join(functions, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) =>
    specifier.startsWith('.') ? relative(functions, resolve(functions, dirname(file), specifier)) : specifier,
  );
};

const isWithin = (file: string, place: string) => file === place || file.startsWith(`${place}/`);

describe.each(Object.entries(all))('functions/%s', (folder, allowed) => {
  test(`imports only ${allowed.join(', ') || 'nothing'} of the other folders`, () => {
    const violations = filesIn(folder).flatMap((file) =>
      importsOf(file)
        .filter((target) => target.endsWith('.ts') && ![folder, ...allowed].some((place) => isWithin(target, place)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(violations).toEqual([]);
  });
});

test('every folder of functions/ and of the agent has its arrows', () => {
  const folders = ['*', 'agent/*'].flatMap((pattern) => globSync(`${pattern}/*.ts`, { cwd: functions }));
  expect(new Set(folders.map((file) => dirname(file))).difference(new Set(Object.keys(all)))).toEqual(new Set());
});

test('no file imports itself by way of others', () => {
  const files = globSync('**/*.ts', { cwd: functions });
  const graph = new Map(files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]));
  const done = new Set<string>();
  const circleFrom = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    const circle = (graph.get(file) ?? []).map((next) => circleFrom(next, [...path, file])).find(Boolean);
    if (!circle) done.add(file);
    return circle;
  };
  expect(files.flatMap((file) => circleFrom(file, []) ?? [])).toEqual([]);
});

test('only cdk8s-function-xp imports the Crossplane protocol', () => {
  const importers = globSync('**/*.ts', { cwd: functions }).filter((file) =>
    importsOf(file).some((name) => name.startsWith('@crossplane-org/') || name.startsWith('@grpc/')),
  );
  expect(importers.filter((file) => !isWithin(file, 'cdk8s-function-xp'))).toEqual([]);
});
