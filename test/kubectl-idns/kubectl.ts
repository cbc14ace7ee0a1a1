/** A kubectl that reads its cluster from the file FAKE_CLUSTER, and appends its arguments to FAKE_CLUSTER.log. */
import { appendFileSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface Cluster {
  internalDNSes: { metadata: { name: string }; [field: string]: unknown }[];
  pods: unknown[];
  /** HOST:PORT that port-forward leads to. */
  target: string;
  /** By the command, what is printed to standard error instead. */
  failures?: Partial<Record<'get' | 'get pods' | 'annotate' | 'port-forward', string>>;
  /** What `get internaldns` prints instead of objects. */
  output?: string;
}

const file = process.env.FAKE_CLUSTER ?? '';
const args = process.argv.slice(2);
appendFileSync(`${file}.log`, `${JSON.stringify({ pid: process.pid, args })}\n`);
const { internalDNSes, pods, target, failures = {}, output } = JSON.parse(readFileSync(file, 'utf8')) as Cluster;

const [verb, kind, name = ''] = args.filter((argument) => !argument.startsWith('--'));
const command = (verb === 'get' && kind === 'pods' ? 'get pods' : verb) as keyof typeof failures;
const failure = failures[command];

function fail(message: string): void {
  process.stderr.write(`I1129 16:00:00 noise\n${message}\n`);
  process.exitCode = 1;
}

if (failure !== undefined) fail(failure);
else if (command === 'get pods') console.log(JSON.stringify({ items: pods }));
else if (command === 'get' && output !== undefined) console.log(output);
else if (command === 'get' && name === '') console.log(JSON.stringify({ items: internalDNSes }));
else if (command === 'get') {
  const found = internalDNSes.find(({ metadata }) => metadata.name === name);
  if (found) console.log(JSON.stringify(found));
  else fail(`Error from server (NotFound): internaldnses.dns.internal "${name}" not found`);
} else if (command === 'port-forward') {
  const [host = '', port] = target.split(':');
  const server = createServer((socket) => {
    console.log('Handling connection for 8080');
    const upstream = connect(Number(port), host);
    socket.pipe(upstream).pipe(socket);
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`Forwarding from 127.0.0.1:${(server.address() as AddressInfo).port} -> 8080`);
  });
}
