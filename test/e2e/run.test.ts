/** `make run` with the objects of a real cluster: what their names would be, before anything is installed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { examples } from '../examples.ts';
import { query } from '../powerdns/query.ts';
import { apply, kubectl, remove, until } from './cluster/kubectl.ts';
import { target } from './cluster/objects.ts';
import { scenario } from './scenario.ts';

scenario('run', ({ shop, ingress }) => {
  test('hosts of the cluster resolve on this machine, and nothing is written to the cluster', async () => {
    const name = 'previewed.corp.internal';
    await apply(ingress({ name: 'previewed', hosts: [name], annotations: { [target]: '192.0.2.1' } }));
    const child = spawn(process.execPath, [join(import.meta.dirname, '../run.ts'), examples.minimal as string], {
      env: { ...process.env, PORT: '0', KUBECONFIG_FROM: process.env.KUBECONFIG },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    const served = () => /is served on .*?:(\d+)/.exec(output)?.[1];
    await until('it serves', async () => served() !== undefined || output);
    const port = Number(served());
    const becomes = (expected: string) =>
      until(`${name} is ${expected}`, async () => {
        const { rcode, answers } = await query({ name, port });
        const seen = (answers[0] as { data?: string } | undefined)?.data ?? rcode;
        return seen === expected || seen;
      });
    await becomes('192.0.2.1');
    await remove('ingress', 'previewed', shop);
    await becomes('NXDOMAIN');
    const reporters = await kubectl('get', 'events', '-n', shop, '-o', 'jsonpath={.items[*].reportingInstance}');
    expect(reporters.split(' ')).not.toContain('idns-corp-0');
  });
});
