import { mkdtempSync, rmSync } from 'node:fs';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatAddress, listen, parseAddress } from '../../functions/cdk8s-function-xp/address.ts';
import type { Composition } from '../../functions/cdk8s-function-xp/composition.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { makeClient, requestFor } from './client.ts';
import { greeting, greetings } from './greeting.ts';
import { serveLocally } from './loopback.ts';

describe('over the wire, with mutual TLS', () => {
  let directory: string;
  let certificates: Certificates;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'certificates-'));
    certificates = makeCertificates(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  async function withFunction<T>(
    use: (client: ReturnType<typeof makeClient>, log: object[]) => Promise<T>,
    composition = greetings,
  ) {
    const server = await serveLocally(composition, { certificates: directory });
    const client = makeClient({ address: server.address, certificates });
    try {
      return await use(client, server.log);
    } finally {
      client.close();
      await server.close();
    }
  }

  test('messages of 8 MiB pass in both directions', async () => {
    const text = 'x'.repeat(8 * 1024 * 1024);
    const response = await withFunction((client) => client.run(requestFor(greeting(text))));
    expect(response.results).toEqual([]);
    expect(response.desired?.resources.words?.resource?.data.text).toHaveLength(text.length);
  });

  test('two runs give the same bytes', async () => {
    const request = requestFor(greeting('hi'));
    const [first, second] = [await withFunction((c) => c.bytes(request)), await withFunction((c) => c.bytes(request))];
    expect(first.length).toBeGreaterThan(0);
    expect(first).toEqual(second);
  });

  test('a refused composite is a response, not a gRPC error', async () => {
    const { results, desired, conditions } = await withFunction((client) => client.run(requestFor(greeting(''))));
    expect(results.map(({ message }) => message)).toEqual(['spec.text is empty: set a text']);
    expect(conditions.map(({ type, reason }) => [type, reason])).toEqual([
      ['Greeted', 'FatalError'],
      ['Answered', 'FatalError'],
    ]);
    expect(desired?.resources ?? {}).toEqual({});
  });

  test('what a rendering requires is asked for and given', async () => {
    const composition: Composition = {
      ...greetings,
      render: (composite, observed, required) => ({
        ...greetings.render(composite, observed, required),
        status: { nodes: required.nodes?.length },
        requires: { nodes: { apiVersion: 'v1', kind: 'Node' } },
      }),
    };
    const nodes = [{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } }];
    const responses = await withFunction(
      async (client) => [
        await client.run(requestFor(greeting('hi'))),
        await client.run(requestFor(greeting('hi'), {}, { nodes: [] })),
        await client.run(requestFor(greeting('hi'), {}, { nodes })),
      ],
      composition,
    );
    expect(responses.map(({ desired }) => desired?.composite?.resource?.status?.nodes)).toEqual([undefined, 0, 1]);
    const selector = { apiVersion: 'v1', kind: 'Node', matchLabels: { labels: {} } };
    for (const { requirements } of responses) expect(requirements?.resources).toEqual({ nodes: selector });
  });

  test('each request is one line in the log, without its spec', async () => {
    const log = await withFunction(async (client, log) => {
      await client.run(requestFor(greeting('confidential')));
      await client.run(requestFor(greeting('')));
      const namespaced = greeting('hi');
      await client.run(requestFor({ ...namespaced, metadata: { name: 'hello', namespace: 'here' } }));
      return log;
    });
    const common = { time: expect.any(Number), ms: expect.any(Number), msg: 'request' };
    expect(log).toEqual([
      { ...common, level: 30, composite: 'Greeting/hello', outcome: 'ok', resources: 1 },
      {
        ...common,
        level: 40,
        composite: 'Greeting/hello',
        outcome: 'fatal',
        error: 'spec.text is empty: set a text',
      },
      { ...common, level: 30, composite: 'Greeting/here/hello', outcome: 'ok', resources: 1 },
    ]);
  });
});

describe('addresses', () => {
  test.each([
    [':9443', { host: '::', port: 9443 }],
    ['127.0.0.1:9443', { host: '127.0.0.1', port: 9443 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:9443', { host: '::1', port: 9443 }],
  ])('%s is read and formatted', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(parseAddress(formatAddress(address))).toEqual(address);
  });

  test.each(['', '9443', 'host', 'host:', '::1:9443', '[]:1', '127.0.0.1:65536', '127.0.0.1:-1', 'host:1x'])(
    '"%s" is refused',
    (text) => {
      expect(() => parseAddress(text)).toThrow(`cannot read the address ${text}: want HOST:PORT`);
    },
  );

  test('[::] accepts IPv6 and IPv4 connections, and [::1] can be bound alone', { tags: 'IPv6' }, async () => {
    const both = await serveLocally(greetings, { address: '[::]:0' });
    const port = both.address.split(':').at(-1);
    const alone = await serveLocally(greetings, { address: '[::1]:0' });
    for (const address of [`[::1]:${port}`, `127.0.0.1:${port}`, alone.address]) {
      const client = makeClient({ address });
      expect((await client.run(requestFor(greeting('hi')))).results).toEqual([]);
      client.close();
    }
    await Promise.all([both.close(), alone.close()]);
  });

  test.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('without IPv6 (%s), [::] is 0.0.0.0', async (code) => {
    const server = new MachineWithoutIPv6(code);
    expect((await listen(server, { host: '::', port: 0 })).host).toBe('0.0.0.0');
    server.close();
    await expect(listen(new MachineWithoutIPv6(code), { host: '::1', port: 1 })).rejects.toThrow(
      'cannot listen on [::1]:1: no IPv6',
    );
  });
});

class MachineWithoutIPv6 extends Server {
  readonly code: string;

  constructor(code: string) {
    super();
    this.code = code;
  }

  override listen(...given: unknown[]): this {
    const [port, host] = given as [number, string];
    if (!host.includes(':')) return super.listen(port, host);
    process.nextTick(() => this.emit('error', Object.assign(new Error('no IPv6'), { code: this.code })));
    return this;
  }
}
