import { expect, test } from 'vitest';
import { DnsdistWatch } from '../../../functions/agent/dnsdist/dnsdist-watch.ts';
import type { Endpoints } from '../../../functions/agent/kubernetes/object.ts';
import type { DeclaredResolver } from '../../../functions/contract/declaration.ts';

const declared: DeclaredResolver = {
  service: 'idns-corp-resolver',
  ports: { agents: 5300, metrics: 8083 },
  certificates: [],
  upstreams: [],
};
const of = (...ips: string[]): Endpoints => ({
  metadata: { name: declared.service },
  subsets: [{ addresses: ips.map((ip) => ({ ip, targetRef: { name: `pod-${ip}` } })) }],
});

test('knows a pod as soon as the Service leads to it, until the resolver is off', async () => {
  let resolver: DeclaredResolver | undefined = declared;
  const watched = new Map<string, (endpoints: Endpoints | undefined) => void>();
  const watch = new DnsdistWatch({
    cluster: {
      watchEndpoints: (service, onChange) => {
        watched.set(service, onChange);
        return () => watched.delete(service);
      },
      readPod: async () => undefined,
    },
    resolver: () => resolver,
    onState: () => {},
    failureLog: { record: () => {} },
  });
  const ips = () => watch.pods.map(({ ip }) => ip);

  await watch.poll();
  watched.get(declared.service)?.(of('192.0.2.1'));
  expect(ips()).toEqual(['192.0.2.1']);
  watched.get(declared.service)?.(of('192.0.2.1', '192.0.2.2'));
  expect(ips()).toEqual(['192.0.2.1', '192.0.2.2']);
  watched.get(declared.service)?.(undefined);
  expect(ips()).toEqual([]);

  resolver = { ...declared, service: 'idns-other-resolver' };
  await watch.poll();
  expect([...watched.keys()]).toEqual(['idns-other-resolver']);
  watched.get('idns-other-resolver')?.(of('192.0.2.3'));
  resolver = undefined;
  await watch.poll();
  expect(ips()).toEqual([]);
  expect(watched.size).toBe(0);
});
