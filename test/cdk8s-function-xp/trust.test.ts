import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../functions/cdk8s-function-xp/address.ts';
import { readCertificates } from '../../functions/cdk8s-function-xp/certificates.ts';
import { type Certificates, makeAuthority, makeCertificates, makeLeaf, mount, type Pair } from './certificates.ts';
import { makeClient, requestFor } from './client.ts';
import { greeting, greetings } from './greeting.ts';
import { type LocalFunction, serveLocally } from './loopback.ts';

const DAY = 86_400_000;
const request = requestFor(greeting('hi'));

let directory: string;
let certificates: Certificates;
let server: LocalFunction;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'certificates-'));
  certificates = makeCertificates(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

beforeEach(async () => {
  mount(directory, certificates);
  server = await serveLocally(greetings, { certificates: directory });
});
afterEach(() => server.close());

/** Makes the same call with another client certificate. */
async function callAs(client: Pair | undefined, authority = certificates.authority) {
  const caller = makeClient({ address: server.address, certificates: { authority, ...(client && { client }) } });
  try {
    return await caller.run(request);
  } finally {
    caller.close();
  }
}

describe('a server with certificates as Crossplane makes them', () => {
  test('accepts its client, which Node itself would refuse', async () => {
    const response = await callAs(certificates.client);
    expect(response.desired?.resources.words?.resource?.data).toEqual({ text: 'hi' });
    expect(server.log.filter(({ msg }) => msg === 'client refused')).toEqual([]);

    // The reason for our own check: should Node ever accept it, grpc-js's check is enough.
    const seen = await nodesVerdict(certificates.client);
    expect(seen).toMatchObject({ authorized: false, authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  const strangers: [string, () => Pair | undefined, string][] = [
    ['no certificate', () => undefined, 'it shows no certificate'],
    [
      'a certificate of another CA with the same subject',
      () => makeLeaf(makeAuthority(), { usage: 'client' }),
      "its certificate is not signed by Crossplane's CA",
    ],
    [
      'a self-signed certificate with the same subject',
      () => makeLeaf(undefined, { usage: 'client' }),
      "its certificate is not signed by Crossplane's CA",
    ],
    [
      'a certificate issued by the client',
      () => makeLeaf(certificates.client, { usage: 'client' }),
      "its certificate is not signed by Crossplane's CA",
    ],
    [
      'one that has expired',
      () => makeLeaf(certificates.authority, { usage: 'client', notAfter: new Date(Date.now() - DAY / 24) }),
      'its certificate has expired',
    ],
    [
      'one that is not valid yet',
      () => makeLeaf(certificates.authority, { usage: 'client', notBefore: new Date(Date.now() + DAY) }),
      'its certificate is not valid yet',
    ],
    ["the server's own", () => certificates.server, 'its certificate is not for clients'],
    [
      'one that is a CA',
      () => makeLeaf(certificates.authority, { usage: 'client', isAuthority: true }),
      'its certificate is a CA',
    ],
    ['the CA itself', () => certificates.authority, 'its certificate is a CA'],
  ];
  test.each(strangers)('refuses %s', async (_, client, reason) => {
    await callAs(certificates.client);
    await expect(callAs(client())).rejects.toMatchObject({ code: 14 });

    const refusals = server.log.filter(({ msg }) => msg === 'client refused');
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set([reason]));
    expect(refusals[0]).toMatchObject({ level: 40, peer: '127.0.0.1' });
    expect(server.log.filter(({ msg }) => msg === 'request')).toHaveLength(1);
    const { values } = await server.telemetry.registry.getSingleMetric('function_refused_clients_total')!.get();
    expect(values[0]!.value).toBe(refusals.length);
    await callAs(certificates.client);
  });

  test('logs one line for each refused connection', async () => {
    const options = { port: Number(server.address.split(':')[1]), rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    for (let connections = 1; connections <= 2; connections++) {
      const socket = connect(options);
      socket.on('error', () => {});
      await once(socket, 'close');
      expect(server.log.filter(({ msg }) => msg === 'client refused')).toHaveLength(connections);
    }
  });

  test('refuses TLS 1.2, and plain text', async () => {
    const { client } = certificates;
    const options = { ...client, port: Number(server.address.split(':')[1]), rejectUnauthorized: false };
    const error = await new Promise<Error>((resolve) =>
      connect({ ...options, maxVersion: 'TLSv1.2' }).on('error', resolve),
    );
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });

    const caller = makeClient({ address: server.address });
    await expect(caller.run(request)).rejects.toMatchObject({ code: 14 });
    caller.close();
    expect(server.log.filter(({ msg }) => msg === 'client refused').length).toBeGreaterThanOrEqual(2);
  });
});

describe('renewed certificates', () => {
  test('apply to new connections, and the old ones are refused', async () => {
    const before = makeClient({ address: server.address, certificates });
    await before.run(request);

    const authority = makeAuthority();
    const client = makeLeaf(authority, { usage: 'client' });
    mount(directory, { authority, server: makeLeaf(authority, { usage: 'server' }) });
    await callAs(client, authority);
    await expect(callAs(certificates.client)).rejects.toMatchObject({ code: 14 });
    await before.run(request);
    before.close();

    expect(await peersCertificate()).not.toBe(certificates.server.cert);
    await expect(connectWith12()).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });

  test('that do not match leave the old ones in use', async () => {
    writeFileSync(join(directory, 'tls.key'), makeLeaf(undefined, { usage: 'server' }).key);
    await callAs(certificates.client);
    expect(server.log.find(({ msg }) => msg === 'certificates not renewed')).toMatchObject({
      error: expect.stringContaining('key values mismatch'),
    });
  });
});

describe('unreadable certificates', () => {
  test('are an error that names the file', async () => {
    rmSync(join(directory, 'ca.crt'));
    expect(() => readCertificates(directory)).toThrow(/^cannot read the certificates in .*: ENOENT.*ca\.crt/);
    writeFileSync(join(directory, 'ca.crt'), 'nonsense');
    expect(() => readCertificates(directory)).toThrow(/^cannot read the certificates in /);
    await expect(serveLocally(greetings, { certificates: directory })).rejects.toThrow(/^cannot read the certificates/);
  });
});

/** The result of Node's own check of a client, given its CA. */
async function nodesVerdict(client: Pair) {
  const { server, authority } = certificates;
  const options = { ...server, ca: authority.cert, requestCert: true, rejectUnauthorized: false };
  const listener = createServer(options);
  const { port } = await listen(listener, { host: '127.0.0.1', port: 0 });
  const verdict = new Promise((resolve) => {
    listener.on('secureConnection', ({ authorized, authorizationError }) =>
      resolve({ authorized, authorizationError }),
    );
  });
  const socket = connect({ ...client, port, rejectUnauthorized: false });
  try {
    return await verdict;
  } finally {
    socket.destroy();
    listener.close();
  }
}

function peersCertificate(): Promise<string> {
  return new Promise((resolve, reject) => {
    const port = Number(server.address.split(':')[1]);
    const socket = connect({ port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()!.toString());
      socket.destroy();
    }).on('error', reject);
  });
}

function connectWith12(): Promise<void> {
  return new Promise((resolve, reject) => {
    const port = Number(server.address.split(':')[1]);
    connect({ port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' }, resolve).on('error', reject);
  });
}
