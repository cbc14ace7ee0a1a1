import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordType } from 'dns-packet';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { environment } from './environment.ts';
import { examples } from './examples.ts';
import { query } from './powerdns/query.ts';
import { polling } from './timeouts.ts';

/** A process of run.ts and its output so far. */
class Run {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(file: string, port: number, more: NodeJS.ProcessEnv) {
    this.child = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), file], {
      env: { ...environment, PORT: `${port}`, ...more },
    });
    this.child.stdout!.on('data', (text) => (this.stdout += text));
    this.child.stderr!.on('data', (text) => (this.stderr += text));
  }

  /** Waits until it serves; returns the port. */
  async serving(): Promise<number> {
    const match = await vi.waitUntil(
      () => this.child.exitCode !== null || /is served on .*?:(\d+).*Ctrl-C/s.exec(this.stdout),
      polling,
    );
    if (match === true) throw new Error(`run.ts exited: ${this.stderr}`);
    return Number(match[1]);
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

const runs: Run[] = [];
function start(file: string, port = 0, more: NodeJS.ProcessEnv = {}): Run {
  const run = new Run(file, port, more);
  runs.push(run);
  return run;
}
afterEach(async () => {
  for (const run of runs.splice(0)) {
    if (run.child.exitCode === null) run.child.kill('SIGTERM');
    await run.ended();
  }
});

describe('make run', () => {
  test('serves the zones of an example until Ctrl-C', { tags: 'PowerDNS' }, async () => {
    const run = start(examples['reverse-zones'] as string);
    const port = await run.serving();

    // Every query in its output has an answer.
    const proposed = [...run.stdout.matchAll(/dig @127\.0\.0\.1 -p (\d+) (\S+) SOA/g)];
    expect(proposed.map(([, , zone]) => zone)).toEqual([
      'office.internal',
      '2.0.192.in-addr.arpa',
      '128/26.2.0.192.in-addr.arpa',
      '8.b.d.0.1.0.0.2.ip6.arpa',
    ]);
    for (const [, at, name] of proposed) {
      const { rcode, answers, flags } = await query({ name: name as string, type: 'SOA', port: Number(at) });
      expect({ rcode, answers: answers.length, aa: flags.includes('aa') }).toEqual({
        rcode: 'NOERROR',
        answers: 1,
        aa: true,
      });
    }
    const { answers } = await query({ name: 'ns1.office.internal', port });
    expect(answers).toMatchObject([{ type: 'A', data: '127.0.0.1' }]);

    // So has the page.
    const [page] = /http:\S+/.exec(run.stdout) ?? [''];
    await vi.waitFor(async () => expect(await (await fetch(page)).text()).toContain('office.internal'), polling);

    run.child.kill('SIGINT');
    expect(await run.ended()).toBe(0);
    expect(run.stderr).toBe('');
    await expect(query({ name: 'office.internal', type: 'SOA', port })).rejects.toThrow(/cannot ask/);
  });

  const answered: [example: string, name: string, type: RecordType, data: unknown[]][] = [
    ['records', 'mail.house.internal', 'A', ['192.0.2.25']],
    ['records', 'any.dev.house.internal', 'A', ['192.0.2.90']],
    ['records', 'xn--bcher-kva.house.internal', 'CNAME', ['www.house.internal']],
    ['records', 'mail.old.house.internal', 'A', ['house.internal', 'mail.house.internal', '192.0.2.25']],
    ['zone-file', 'sensor-7.plant.internal', 'A', ['192.0.2.107']],
    ['zone-settings', 'dns2.campus.internal', 'A', ['127.0.0.1']],
    ['delegation', 'vault.bank.internal', 'NS', ['ns1.vault.bank.internal']],
    ['reverse-zones', '10.2.0.192.in-addr.arpa', 'PTR', ['printer.office.internal']],
    ['health-checks', 'canary.clinic.internal', 'A', [expect.stringMatching(/^192\.0\.2\.9[01]$/)]],
    ['dnssec', 'www.safe.internal', 'A', ['192.0.2.80']],
    ['templates', 'resolver.lab.berlin.example', 'CNAME', ['dns.lab.berlin.example']],
    ['templates', 'dns.berlin.internal', 'A', ['127.0.0.1']],
  ];
  test.each([...Map.groupBy(answered, ([example]) => example)])(
    'answers with the records of examples/%s.yaml',
    { tags: 'PowerDNS' },
    async (example, questions) => {
      const port = await start(examples[example] as string).serving();
      for (const [, name, type, expected] of questions) {
        // Records from ConfigMaps are served a moment after the zone.
        await vi.waitFor(async () => {
          const { answers } = await query({ name, type, port });
          expect(new Set(answers.map((answer) => (answer as { data: unknown }).data))).toEqual(new Set(expected));
        }, polling);
      }
    },
  );

  describe('with OBJECTS', () => {
    const minimal = examples.minimal as string;
    const ingress = (name: string, host: string, ip: string) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, namespace: 'shop' },
      spec: { rules: [{ host }] },
      status: { loadBalancer: { ingress: [{ ip }] } },
    });
    const becomes = (port: number, name: string, expected: unknown[]) =>
      vi.waitFor(async () => {
        const { answers } = await query({ name, port });
        expect(answers.map((answer) => (answer as { data: unknown }).data)).toEqual(expected);
      }, polling);

    test('the objects of a folder resolve, each with its verdict on the page', { tags: 'PowerDNS' }, async () => {
      const run = start(minimal, 0, { OBJECTS: join(import.meta.dirname, '../examples/objects') });
      const port = await run.serving();
      await becomes(port, 'shop.corp.internal', ['192.0.2.80']);
      await becomes(port, 'broker.corp.internal', ['192.0.2.83']);
      const [page = ''] = /http:\S+/.exec(run.stdout) ?? [];
      await vi.waitFor(async () => {
        const names = await (await fetch(`${page}names.txt`)).text();
        expect(names).toMatch(/^waiting\.corp\.internal\s+NoAddress/m);
        expect(names).toMatch(/^shop\.corp\.internal\s+Resolved/m);
      }, polling);
      expect(run.stderr).toBe('');
    });

    test('an edit is followed at once, and half a file changes nothing', { tags: 'PowerDNS' }, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'objects-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const write = (...objects: object[]) =>
        writeFileSync(join(folder, 'all.json'), JSON.stringify({ kind: 'List', items: objects }));
      write(ingress('web', 'web.corp.internal', '192.0.2.1'), ingress('old', 'old.corp.internal', '192.0.2.2'));
      const run = start(minimal, 0, { OBJECTS: folder });
      const port = await run.serving();
      await becomes(port, 'web.corp.internal', ['192.0.2.1']);
      await becomes(port, 'old.corp.internal', ['192.0.2.2']);
      writeFileSync(join(folder, 'all.json'), '{ "kind": ');
      await vi.waitFor(() => expect(run.stderr).toMatch(/^cannot read .*all\.json: /m), polling);
      expect((await query({ name: 'web.corp.internal', port })).answers).toHaveLength(1);
      write(ingress('web', 'new.corp.internal', '192.0.2.3'), ingress('old', 'old.corp.internal', '192.0.2.2'));
      await becomes(port, 'new.corp.internal', ['192.0.2.3']);
      await becomes(port, 'web.corp.internal', []);
      await becomes(port, 'old.corp.internal', ['192.0.2.2']);
    });

    test('and KUBECONFIG_FROM, one has to be chosen', async () => {
      const run = start(minimal, 0, { OBJECTS: 'a', KUBECONFIG_FROM: 'b' });
      expect(await run.ended()).toBe(1);
      expect(run.stderr).toBe(`cannot run ${minimal}: OBJECTS and KUBECONFIG_FROM are both set: choose one of them\n`);
    });
  });

  test('reports in one line that the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const run = start(examples.minimal as string, port);
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toBe(
      `cannot run ${examples.minimal}: cannot listen on 127.0.0.1:${port}: the port is in use; choose another port with PORT=\n`,
    );
    other.close();
  });

  test('reports why it cannot read the file', async () => {
    const run = start(join(import.meta.dirname, 'none.yaml'));
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toMatch(/^cannot run .*none\.yaml: ENOENT/);
    expect(run.stdout).toBe('');
  });
});
