/** dnsdist in front of the server: own names, names of others, and who may ask. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { decode, encode } from 'dns-packet';
import { afterAll, expect, test } from 'vitest';
import { resolverPorts } from '../../functions/internal-dns/names.ts';
import { makeCertificate } from '../dnsdist/server.ts';
import { findOnPath } from '../path.ts';
import { query } from '../powerdns/query.ts';
import { edit } from './cluster/edit.ts';
import { figure } from './cluster/figures.ts';
import { apply, condition, get, isTrue, kubectl, list, until, waitForReady } from './cluster/kubectl.ts';
import { type Client, clientAt, clientOf, mostLostInARow, watchAnswers } from './cluster/names.ts';
import { everybody } from './cluster/objects.ts';
import { functionPackageOf, version } from './cluster/packages.ts';
import { watchAnswersIn } from './cluster/pod-client.ts';
import { startCoreDNS, startPod } from './cluster/resolver.ts';
import { scenario } from './scenario.ts';

const zone = 'front.internal';
const [www, elsewhere] = [`www.${zone}`, 'www.elsewhere.example'];
const [own, theirs, guests] = ['192.0.2.80', '203.0.113.80', '192.0.2.81'];
const namespace = 'internal-dns';
const server = 'dns.internal';
const run = promisify(execFile);

scenario('resolver', ({ shop, internalDNS }) => {
  let client: Client;
  let address: string;
  let upstream: string;
  const folder = mkdtempSync(join(tmpdir(), 'resolver-'));
  const authority = join(folder, 'ca.pem');
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await kubectl('-n', namespace, 'delete', 'secret', 'e2e-front-tls', '--ignore-not-found');
  });

  const certificate = { secretRef: { name: 'e2e-front-tls' } };
  /** Applies a new certificate, which is its own authority. */
  async function issueCertificate(): Promise<string> {
    const { cert, key } = await makeCertificate(server);
    const metadata = { name: certificate.secretRef.name, namespace };
    const data = { 'tls.crt': btoa(cert), 'tls.key': btoa(key) };
    await apply({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data });
    writeFileSync(authority, cert);
    return cert;
  }

  const conditionIs = (status: string, reason: string, message = /^/) =>
    until(`ResolverReady is ${status} ${reason}`, async () => {
      const { message: said = '', ...now } = await condition('front', 'ResolverReady');
      return (now.status === status && now.reason === reason && message.test(said)) || { ...now, said };
    });

  const pods = () =>
    list('pod', { namespace, labels: 'app.kubernetes.io/name=internal-dns-resolver,app.kubernetes.io/instance=front' });

  test('turning it on loses no question', async () => {
    const zones = (...values: string[]) => [{ name: zone, records: [{ name: 'www', type: 'A', values }] }];
    await apply(
      internalDNS('front', { zones: zones(own), service: { ipFamilyPolicy: 'PreferDualStack' } }),
      internalDNS('guests', { zones: zones(guests) }),
    );
    await waitForReady('front');
    await waitForReady('guests');
    client = await clientOf('front');
    address = (await get('internaldns', 'front')).status.address;
    upstream = await startUpstream();
    await issueCertificate();
    const [outsider, guest] = await Promise.all(['outsider', 'guest'].map(startClient));
    await startClient('bystander');
    const watches = watchBoth();
    await edit('front', {
      resolver: {
        allowFrom: allBut(outsider as string),
        forward: { upstreams: [{ address: upstream }], check: { name: elsewhere, type: 'A' } },
        views: [{ name: 'guests', from: [`${guest}/32`], internalDNS: 'guests' }],
        doT: { certificate },
        doH: { certificate },
      },
    });
    figure('resolver turned on -> Resolving', await conditionIs('True', 'Resolving'), 's');
    figure('resolver turned on -> the server answers it alone', await until('the policy closes', isServerClosed));
    await expectNoneLost('resolver turned on', watches);
  });

  test('it answers own names, and those of others, over UDP, TCP, TLS and HTTPS', async () => {
    // A pod has to find its upstreams before it asks them.
    for (const { status } of await pods()) await clientAt(status.podIP, resolverPorts.dns).becomes(elsewhere, theirs);
    expect(await client.answer(www)).toBe(own);
    expect(await client.answer(`none.${zone}`)).toBe('NXDOMAIN');
    const { clusterIPs } = (await get('service', 'idns-front', namespace)).spec;
    for (const ip of clusterIPs) {
      // It may take a moment until a node knows where the Service leads.
      await clientAt(ip).becomes(elsewhere, theirs);
      for (const tcp of [false, true]) {
        for (const [name, expected] of [
          [www, own],
          [elsewhere, theirs],
        ] as const) {
          const { rcode, answers } = await query({ name, server: ip, tcp });
          expect(answers[0]?.data ?? rcode, `${name} at ${ip}${tcp ? ' over TCP' : ''}`).toBe(expected);
        }
      }
    }
    expect(await overTLS(www)).toBe(own);
    expect(await overTLS(elsewhere)).toBe(theirs);
    expect(await overHTTPS(www)).toBe(own);
  });

  test('a renewed certificate is used without a lost question', async () => {
    const before = (await pods()).map(({ metadata }) => metadata.uid).sort();
    const watch = watchAnswers(client, www, own);
    const renewed = await issueCertificate();
    const seconds = await until('every pod has it', async () => {
      const seen = await Promise.all((await pods()).map(({ status }) => certificateOf(status.podIP)));
      return seen.every((each) => each === fingerprint(renewed)) || seen;
    });
    figure('certificate renewed -> used by every pod', seconds);
    expect((await watch.stop()).unansweredInARow).toBeLessThanOrEqual(mostLostInARow);
    expect(await overTLS(www)).toBe(own);
    expect((await pods()).map(({ metadata }) => metadata.uid).sort()).toEqual(before);
  });

  test('a dead upstream takes names of others away, and nothing else', async () => {
    await kubectl('-n', shop, 'delete', 'pod', 'upstream', '--wait=true');
    const watch = watchAnswers(client, www, own);
    await conditionIs('False', 'UpstreamDown', new RegExp(upstream));
    expect((await condition('front', 'Ready')).status).toBe('True');
    const { asked, unanswered, unansweredInARow, slowestSeconds } = await watch.stop();
    figure(
      'own names with a dead upstream',
      `${unanswered} of ${asked} unanswered, slowest ${slowestSeconds.toFixed(3)} s`,
      '',
    );
    expect(unansweredInARow).toBeLessThanOrEqual(mostLostInARow);
    expect(await startUpstream()).toBe(upstream);
    await conditionIs('True', 'Resolving');
    await client.becomes(elsewhere, theirs);
  });

  test('a pod of it that is killed loses few questions', async () => {
    const before = await pods();
    const killed = before[0]?.metadata.name as string;
    const watch = watchAnswers(client, www, own);
    await kubectl('-n', namespace, 'delete', 'pod', killed, '--grace-period=0', '--force');
    // Its replacement may be ready before any condition says that one is missing.
    await until('another one is ready in its place', async () => {
      const ready = (await pods()).filter((each) => isTrue(each, 'Ready')).map(({ metadata }) => metadata.name);
      return (ready.length === before.length && !ready.includes(killed)) || ready;
    });
    await conditionIs('True', 'Resolving');
    const { asked, unanswered, lostForSeconds } = await watch.stop();
    figure('one of two pods killed', `${unanswered} of ${asked} unanswered within ${lostForSeconds.toFixed(2)} s`, '');
    expect(lostForSeconds).toBeLessThan(2);
  });

  test('outsiders are refused, and a view gives its clients another answer', async () => {
    for (const name of [www, elsewhere]) expect(await resolveIn('outsider', name)).toBe('EREFUSED');
    expect(await resolveIn('guest', www)).toBe(guests);
    expect(await resolveIn('guest', elsewhere)).toBe(theirs);
  });

  test('turning it off loses no question', async () => {
    const watches = watchBoth();
    await edit('front', { resolver: null });
    await conditionIs('True', 'Off');
    await until('its pods are gone', async () => (await pods()).length === 0);
    await expectNoneLost('resolver turned off', watches);
    await client.becomes(elsewhere, 'REFUSED');
  });

  /** From a node, and from a pod, whom NetworkPolicies affect. */
  const watchBoth = () => ({
    'a node': watchAnswers(client, www, own),
    'a pod': watchAnswersIn(shop, 'bystander', www, address),
  });

  async function expectNoneLost(what: string, watches: ReturnType<typeof watchBoth>): Promise<void> {
    for (const [where, watch] of Object.entries(watches)) {
      const { asked, unanswered, unansweredInARow } = await watch.stop();
      figure(`${what}, asked from ${where}`, `${unanswered} of ${asked} unanswered, ${unansweredInARow} in a row`, '');
      expect.soft(unansweredInARow, where).toBeLessThanOrEqual(mostLostInARow);
    }
  }

  const isServerClosed = async () =>
    (await get('networkpolicy', 'idns-front', namespace)).spec.ingress[0].from !== undefined;

  /** A pod that asks the resolver. Returns its address. */
  async function startClient(name: string): Promise<string> {
    await startPod(shop, name, functionPackageOf(version), { nameservers: [address] });
    return (await get('pod', name, shop)).status.podIP;
  }

  /** A server of others' names. Returns its address, which stays. */
  async function startUpstream(): Promise<string> {
    const block = `elsewhere.example:53 {
    template IN ANY elsewhere.example {
        match ^www
        answer "{{ .Name }} 1 IN A ${theirs}"
        fallthrough
    }
    template IN SOA elsewhere.example {
        answer "elsewhere.example. 1 IN SOA ns.elsewhere.example. hostmaster.elsewhere.example. 1 1 1 1 1"
    }
}`;
    return startCoreDNS(shop, 'upstream', 'elsewhere.example', block);
  }

  /** What a pod gets from the resolver, or Node's code for its error. */
  const resolveIn = (pod: string, name: string): Promise<string> =>
    nodeIn(pod, `require('node:dns').resolve4('${name}', (error, all) => console.log(error?.code ?? all.join(' ')))`);

  const nodeIn = async (pod: string, script: string): Promise<string> =>
    (await kubectl('-n', shop, 'exec', pod, '--', '/nodejs/bin/node', '-e', script)).trim();

  async function overTLS(name: string): Promise<string> {
    const args = [`@${address}`, '+tls', `+tls-ca=${authority}`, `+tls-hostname=${server}`, '+short', name];
    return (await run(findOnPath('kdig'), args)).stdout.trim();
  }

  async function overHTTPS(name: string): Promise<string> {
    const body = join(folder, 'question');
    writeFileSync(body, encode({ type: 'query', id: 0, flags: 0x100, questions: [{ name, type: 'A' }] }));
    const flags = [
      '--silent',
      '--cacert',
      authority,
      '--resolve',
      `${server}:443:${address}`,
      '--data-binary',
      `@${body}`,
    ];
    const type = ['--header', 'Content-Type: application/dns-message'];
    const options = { encoding: 'buffer' } as const;
    const { stdout } = await run(findOnPath('curl'), [...flags, ...type, `https://${server}/dns-query`], options);
    return (decode(stdout).answers ?? []).map((answer) => (answer as { data: string }).data).join(' ');
  }
});

/** Every address but this one of IPv4. */
function allBut(address: string): string[] {
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const halves = Array.from({ length: 32 }, (_, index) => {
    const size = 2 ** index;
    const network = Math.floor(number / size);
    const other = (network % 2 === 0 ? network + 1 : network - 1) * size;
    return `${[24, 16, 8, 0].map((bits) => Math.floor(other / 2 ** bits) % 256).join('.')}/${32 - index}`;
  });
  return [...halves, ...everybody.filter((network) => network.includes(':'))];
}

const fingerprint = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');

/** The certificate that a pod presents. */
function certificateOf(ip: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: ip, port: resolverPorts.dot, rejectUnauthorized: false, servername: server }, () => {
    resolve(socket.getPeerCertificate().raw.toString('base64'));
    socket.destroy();
  });
  socket.on('error', reject);
  return promise;
}
