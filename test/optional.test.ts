/** The files of optional/, which no command that installs or removes this project touches. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { sourceResources } from '../functions/contract/source-kinds.ts';
import { image } from '../functions/internal-dns/server/external-dns.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('the CRD of DNSEndpoints is the unchanged file of the ExternalDNS that runs', () => {
  const [, comment = '', rest = ''] = /^((?:#.*\n)+)([\s\S]*)$/.exec(read('optional/dnsendpoint-crd.yaml')) ?? [];
  const version = image.split(':').at(-1);
  expect(comment).toContain(`unchanged from ExternalDNS ${version},`);
  expect(comment).toContain(`/external-dns/blob/${version}/config/crd/standard/dnsendpoints.externaldns.k8s.io.yaml`);
  expect(createHash('sha256').update(rest).digest('hex')).toBe(
    '7d1c06b1e991c8db3a70be658fb628e61e71ba72f2686469c276f4f6ab0d1e30',
  );
});

test('the CRD of DNSEndpoints serves the version that ExternalDNS watches', () => {
  const { group, version, plural } = sourceResources.DNSEndpoint;
  const { spec } = parse(read('optional/dnsendpoint-crd.yaml'));
  const served = spec.versions
    .filter((each: { served: boolean }) => each.served)
    .map((each: { name: string }) => each.name);
  expect([spec.group, spec.names.plural]).toEqual([group, plural]);
  expect(served).toContain(version);
});

test('no file that an administrator applies as a whole has the CRD of DNSEndpoints', () => {
  for (const file of globSync('configuration/**/*.yaml', { cwd: root }))
    expect(read(file)).not.toContain('dnsendpoints.externaldns.k8s.io\n');
});
