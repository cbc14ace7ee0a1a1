import { expect, test } from 'vitest';
import { edit } from './cluster/edit.ts';
import { figure } from './cluster/figures.ts';
import { apply, get, kubectl, remove, until, waitForReady } from './cluster/kubectl.ts';
import { anotherLoop } from './cluster/loops.ts';
import { type Client, clientOf, watchAnswers } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import { inPod, pdnsutil } from './cluster/pod.ts';
import { scenario } from './scenario.ts';

const zone = 'rebuild.internal';
const at = (name: string) => `${name}.${zone}`;
const namespace = 'internal-dns';
const pod = 'idns-rebuild-0';
const mirror = 'idns-rebuild-kept';

/** The answer of one record of each kind. */
const answers = {
  declared: '192.0.2.1',
  'in-a-file': '192.0.2.2',
  discovered: '192.0.2.3',
  'without-object': '192.0.2.4',
  'by-hand': '192.0.2.5',
};

/** The zone that a server exports, without the serial. */
async function servedBy(pod: string): Promise<string[]> {
  const url = `http://127.0.0.1:8080/zones/${zone}.zone`;
  const script = `fetch('${url}').then((r) => r.text()).then((t) => process.stdout.write(t))`;
  const text = await inPod(pod, 'agent', '/nodejs/bin/node', '-e', script);
  return text
    .replace(/( SOA \S+ \S+) \d+/, '$1')
    .split('\n')
    .sort();
}

const mirrored = async (): Promise<string[]> => {
  const { data = {} } = await get('configmap', mirror, namespace);
  return Object.keys(data).filter((key) => key.includes('..'));
};
const inMirror = ['by-hand', 'without-object'].map((name) => `${zone}..A..${name}`);

scenario('lost-volume', ({ shop, ingress, internalDNS }) => {
  let client: Client;
  let before: string[];
  const fixed = (name: 'discovered' | 'without-object') =>
    ingress({ name, hosts: [at(name)], annotations: { [target]: answers[name] } });
  const specWith = (replicas: number) => ({
    zones: [
      {
        name: zone,
        records: [{ name: 'declared', type: 'A', values: [answers.declared] }],
        recordsFrom: [{ configMapKeyRef: { name: 'e2e-rebuild-file', key: 'zone' } }],
        dnssec: { mode: 'Signed', algorithm: 'ECDSA256' },
      },
    ],
    discovery: { sources: [{ kind: 'Ingress' }], policy: 'UpsertOnly' },
    replicas,
  });
  const dsOf = async () => (await get('internaldns', 'rebuild')).status.zones[0].dnssec.ds;

  test('records of every kind are answered, and those without a source are mirrored', async () => {
    await apply(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'e2e-rebuild-file', namespace },
        data: { zone: `in-a-file 60 A ${answers['in-a-file']}\n` },
      },
      internalDNS('rebuild', specWith(1)),
      fixed('discovered'),
      fixed('without-object'),
    );
    await waitForReady('rebuild');
    client = await clientOf('rebuild');
    await client.becomes(at('without-object'), answers['without-object']);
    await remove('ingress', 'without-object', shop);
    await pdnsutil(pod, 'rrset', 'add', zone, at('by-hand'), 'A', '60', answers['by-hand']);
    await anotherLoop('rebuild');
    for (const [name, answer] of Object.entries(answers)) await client.becomes(at(name), answer);
    const seconds = await until('records without a source are mirrored', async () => {
      const keys = await mirrored();
      return `${keys.sort()}` === `${inMirror}` || keys;
    });
    figure('record made by hand -> mirrored', seconds);
    before = await servedBy(pod);
  });

  test('the mirror and the Secret of keys are enough to restore everything', async () => {
    const ds = await dsOf();
    const watches = Object.entries(answers).map(
      ([name, answer]) => [name, watchAnswers(client, at(name), answer, 200)] as const,
    );
    const volume = async () => (await get('persistentvolumeclaim', `data-${pod}`, namespace)).metadata.uid;
    const [old, begin] = [await volume(), performance.now()];
    const configMaps = ['declared', 'status', 'powerdns'].map((part) => `configmap/idns-rebuild-${part}`);
    await kubectl('-n', namespace, 'delete', `pvc/data-${pod}`, `pod/${pod}`, ...configMaps, '--wait=false');
    await until('the volume was replaced', async () => {
      const uid = await volume().catch(() => undefined);
      return (uid !== undefined && uid !== old) || uid;
    });
    await Promise.all(Object.entries(answers).map(([name, answer]) => client.becomes(at(name), answer)));
    figure(
      'volume, pod and ConfigMaps of an instance destroyed -> all records of all kinds restored',
      (performance.now() - begin) / 1000,
    );
    for (const [name, watch] of watches) {
      figure(`longest time without the answer of ${name}`, (await watch.stop()).longestGapSeconds);
    }
    await waitForReady('rebuild');
    figure('the same -> Ready', (performance.now() - begin) / 1000);
    expect(await dsOf()).toEqual(ds);
    await until('the zone is the same as before', async () => {
      const after = await servedBy(pod);
      return `${after}` === `${before}` || after;
    });
    expect((await mirrored()).sort()).toEqual(inMirror);
  });

  test('a deleted mirror is written again', async () => {
    await kubectl('-n', namespace, 'delete', 'configmap', mirror);
    await until('the mirror is complete', async () => {
      const keys = await mirrored().catch(() => []);
      return `${keys.sort()}` === `${inMirror}` || keys;
    });
    for (const [name, answer] of Object.entries(answers)) expect(await client.answer(at(name))).toBe(answer);
  });

  test('a second replica gets all records, and a record removed from it is removed everywhere', async () => {
    await edit('rebuild', specWith(2));
    await waitForReady('rebuild');
    const second = 'idns-rebuild-1';
    await until('both replicas serve the same zone', async () => {
      const [one, two] = [await servedBy(pod), await servedBy(second)];
      return `${one}` === `${two}` || two;
    });
    await pdnsutil(second, 'rrset', 'delete', zone, at('by-hand'), 'A');
    await pdnsutil(second, 'rrset', 'delete', zone, at('without-object'), 'A');
    const seconds = await until('the records are gone from both replicas', async () => {
      const served = [...(await servedBy(pod)), ...(await servedBy(second))];
      const left = served.filter((line) => /^(by-hand|without-object)/.test(line));
      return left.length === 0 || left;
    });
    figure('record removed from one replica -> gone from the other', seconds);
    await until('the mirror is empty', async () => {
      const keys = await mirrored();
      return keys.length === 0 || keys;
    });
    await remove('configmap', 'e2e-rebuild-file', namespace);
  });
});
