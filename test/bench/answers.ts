/** Measures answers of the server with and without the resolver in front, next to what people use instead. */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { encode, RECURSION_DESIRED } from 'dns-packet';
import { messageOf } from '../../functions/agent/lib/error-message.ts';
import { canaryZone } from '../../functions/contract/canary-zone.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import { startResolver } from '../agent/dnsdist/resolver.ts';
import { createZone } from '../connect/powerdns-zone.ts';
import { startDNSProcess } from '../dns-process.ts';
import { findOnPath } from '../path.ts';
import { type Questions, randomNames } from '../powerdns/flood.ts';
import { freePort, type RunningPowerDNS, startPowerDNS } from '../powerdns/server.ts';
import { find } from '../programs.ts';
import { putIngress, startApiServer } from './ingresses.ts';
import { startGateway } from './k8s-gateway.ts';
import { printTable, quantile } from './table.ts';

const [own, foreign] = ['corp.internal', 'bench.example'] as const;
const address = '192.0.2.1';
/** Below a wildcard, so that every random name exists. */
const records = (zone: string) => ({ [`*.${zone}.`]: ['A', address] as const });

const count = { inTurn: 2_000, atOnce: 50_000 };
const outstanding = 100;

interface Running {
  port: number;
  stop(): Promise<void>;
}

interface Candidate {
  what: string;
  zone: string;
  start(): Promise<Running>;
}

export async function benchAnswers(counts = count): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-answers-'));
  const servers: Record<string, RunningPowerDNS> = {};
  try {
    const config = powerdnsFiles['pdns.conf'];
    const oneThread = config.replace(/^receiver-threads=.*\n/m, '');
    for (const [name, zone] of Object.entries({ own, single: own, world: foreign })) {
      mkdirSync(join(folder, name));
      const server = await startPowerDNS({
        config: name === 'single' ? oneThread : config,
        dir: join(folder, name),
      });
      servers[name] = server;
      await createZone(server, canaryZone, {});
      await createZone(server, `${zone}.`, records(zone));
    }
    const rows: (string | number)[][] = [];
    for (const candidate of candidatesIn(folder, servers as Servers)) {
      try {
        rows.push(...(await measure(candidate, counts)));
      } catch (error) {
        // A program that this machine does not have.
        rows.push([`${candidate.what}: ${messageOf(error).slice(0, 100)}`, '', '', '', '']);
      }
    }
    printTable(
      `Answers over UDP from one client on the same machine, with ${outstanding} questions at once for the rate`,
      ['', 'questions/s', 'p50 ms', 'p99 ms', 'unanswered'],
      rows,
    );
  } finally {
    for (const server of Object.values(servers)) await server.stop();
    rmSync(folder, { recursive: true });
  }
}

type Servers = Record<'own' | 'single' | 'world', RunningPowerDNS>;

function candidatesIn(folder: string, servers: Servers): Candidate[] {
  const dnsdist = async () => {
    const fields = { forward: { upstreams: [{ address: '192.0.2.53' }] } };
    const ports = { '198.18.0.53': servers.own.dnsPort, '192.0.2.53': servers.world.dnsPort };
    return (await startResolver({ fields, ports })).dnsdist;
  };
  return [
    {
      what: 'PowerDNS alone',
      zone: own,
      start: async () => ({ port: servers.own.dnsPort, stop: async () => {} }),
    },
    {
      what: 'PowerDNS with one receiver thread',
      zone: own,
      start: async () => ({ port: servers.single.dnsPort, stop: async () => {} }),
    },
    { what: 'dnsdist in front, own name', zone: own, start: dnsdist },
    { what: 'CoreDNS with the same names', zone: own, start: () => startCoreDNS(join(folder, 'coredns')) },
    {
      what: 'k8s_gateway with an Ingress of the same names',
      zone: own,
      start: () => startWatching(join(folder, 'gateway')),
    },
    { what: 'dnsdist, forwarded name', zone: foreign, start: dnsdist },
    {
      what: 'Unbound as forwarder',
      zone: foreign,
      start: () => startUnbound(join(folder, 'unbound'), servers.world.dnsPort),
    },
  ];
}

/** With its cache, and templates for the names: a build for clusters need not have the plugin for zone files. */
async function startCoreDNS(folder: string): Promise<Running> {
  const program = findOnPath('coredns');
  const port = await freePort();
  const template = (type: string, rdata: string) =>
    `  template IN ${type} ${own} {\n    answer "{{ .Name }} 60 IN ${type} ${rdata}"\n  }\n`;
  const soa = template('SOA', `ns1.${own}. hostmaster.${own}. 1 3600 600 604800 60`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'Corefile'), `.:${port} {\n  cache\n${soa}${template('A', address)}}\n`);
  const command = [program, '-conf', join(folder, 'Corefile')] as const;
  return startDNSProcess({ command, folder, port, probe: { name: own, type: 'SOA' } });
}

/** Watches a single Ingress, whose host is a wildcard. */
async function startWatching(folder: string): Promise<Running> {
  mkdirSync(folder);
  const kubeconfig = join(folder, 'kubeconfig');
  const server = await startApiServer(kubeconfig);
  putIngress(server, 'any', [own, `*.${own}`], address);
  const gateway = await startGateway({ zone: own, kubeconfig, folder }).catch((error) => {
    server.stop();
    throw error;
  });
  const stop = async () => {
    await gateway.stop();
    server.stop();
  };
  return { port: gateway.port, stop };
}

export async function startUnbound(folder: string, upstream: number, probe: string = foreign): Promise<Running> {
  const program = await find('Unbound');
  const port = await freePort();
  mkdirSync(folder);
  const configuration = `server:
  username: ""
  chroot: ""
  directory: "${folder}"
  use-syslog: no
  interface: 127.0.0.1@${port}
  do-not-query-localhost: no
  module-config: "iterator"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@${upstream}
`;
  writeFileSync(join(folder, 'unbound.conf'), configuration);
  const command = [program, '-d', '-p', '-c', join(folder, 'unbound.conf')] as const;
  return startDNSProcess({ command, folder, port, probe: { name: probe, type: 'SOA' } });
}

async function measure({ what, zone, start }: Candidate, counts: typeof count): Promise<(string | number)[][]> {
  const running = await start();
  try {
    const rows: (string | number)[][] = [];
    const kinds: [string, Questions][] = [
      ['one name', sameName(`www.${zone}`)],
      ['a new name each time', randomNames(zone, 1, 12)],
    ];
    for (const [kind, questions] of kinds) {
      const client = await clientOf(running.port);
      await client.ask(questions, 500, 1);
      const times = await client.ask(questions, counts.inTurn, 1);
      const began = performance.now();
      const answered = (await client.ask(questions, counts.atOnce, outstanding)).length;
      const rate = (answered / (performance.now() - began)) * 1000;
      client.close();
      const [p50, p99] = [0.5, 0.99].map((fraction) => quantile(times, fraction).toFixed(3));
      rows.push([`${what}, ${kind}`, Math.round(rate).toLocaleString('en'), p50!, p99!, counts.atOnce - answered]);
    }
    return rows;
  } finally {
    await running.stop();
  }
}

function sameName(name: string): Questions {
  const packet = encode({ type: 'query', flags: RECURSION_DESIRED, questions: [{ name, type: 'A' }] });
  return () => Buffer.from(packet);
}

/** Milliseconds without any answer after which the questions on the way are given up. */
const patienceMs = 500;

async function clientOf(port: number) {
  const socket: Socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return {
    close: () => void socket.close(),
    /** Asks `total` questions, so many at once. Returns the milliseconds of each that was answered. */
    async ask(questions: Questions, total: number, atOnce: number): Promise<number[]> {
      const times: number[] = [];
      const sentAt = new Map<number, number>();
      let [sent, next, lastProgress] = [0, randomInt(1 << 16), performance.now()];
      const send = () => {
        if (sent >= total) return;
        sent += 1;
        next = (next + 1) & 0xffff;
        const question = questions();
        question.writeUInt16BE(next);
        sentAt.set(next, performance.now());
        socket.send(question);
      };
      const onAnswer = (message: Buffer) => {
        const id = message.readUInt16BE();
        const began = sentAt.get(id);
        if (began === undefined) return;
        sentAt.delete(id);
        lastProgress = performance.now();
        times.push(lastProgress - began);
        send();
      };
      socket.on('message', onAnswer);
      for (let index = 0; index < atOnce; index++) send();
      while (sentAt.size > 0) {
        await delay(1);
        if (performance.now() - lastProgress < patienceMs) continue;
        const lost = sentAt.size;
        sentAt.clear();
        lastProgress = performance.now();
        for (let index = 0; index < lost; index++) send();
      }
      socket.off('message', onAnswer);
      return times;
    },
  };
}
