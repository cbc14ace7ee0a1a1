/** Queries from a pod: NetworkPolicies do not affect those from a node. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { encode } from 'dns-packet';

export interface PodAnswered {
  asked: number;
  unanswered: number;
  /** Of queries that were lost one after the other. */
  unansweredInARow: number;
}

export interface PodWatch {
  /** Ends the watch. */
  stop(): Promise<PodAnswered>;
}

/** Runs in the pod. A query that has no answer within a resolver's timeout, or a failure, is lost. */
const script = `
const { createSocket } = require('node:dgram');
const [server, question] = process.argv.slice(1);
const outcomes = [];
let pending = 0;
let isOver = false;
const report = () => {
  let [row, longest] = [0, 0];
  for (const isAnswered of outcomes) longest = Math.max(longest, (row = isAnswered ? 0 : row + 1));
  const unanswered = outcomes.filter((isAnswered) => !isAnswered).length;
  console.log(JSON.stringify({ asked: outcomes.length, unanswered, unansweredInARow: longest }));
  process.exit();
};
const ask = () => {
  if (isOver) return;
  const index = outcomes.push(false) - 1;
  pending++;
  const socket = createSocket('udp4');
  const end = (isAnswered) => {
    clearTimeout(timer);
    socket.close();
    outcomes[index] = isAnswered;
    if (--pending === 0 && isOver) report();
  };
  const timer = setTimeout(() => end(false), 5000);
  socket.once('message', (reply) => end((reply[3] & 15) === 0 && reply.readUInt16BE(6) > 0));
  socket.once('error', () => end(false));
  socket.send(Buffer.from(question, 'base64'), 53, server);
};
const timer = setInterval(ask, 20);
process.stdin.resume();
process.stdin.once('end', () => {
  clearInterval(timer);
  isOver = true;
  if (pending === 0) report();
});
`;

/** Sends a query every 20 ms from a pod with Node.js, each from a new port, and counts those without an answer. */
export function watchAnswersIn(namespace: string, pod: string, name: string, server: string): PodWatch {
  const question = encode({ type: 'query', id: 1, questions: [{ name, type: 'A' }] }).toString('base64');
  const node = ['/nodejs/bin/node', '-e', script, '--', server, question];
  const child = spawn('kubectl', ['-n', namespace, 'exec', '-i', pod, '--', ...node], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Buffer[] = [];
  child.stdout.on('data', (chunk) => lines.push(chunk));
  const closed = once(child, 'close');
  return {
    stop: async () => {
      child.stdin.end();
      const [code] = await closed;
      if (code !== 0) throw new Error(`kubectl exec in ${pod} failed: exit code ${code}`);
      return JSON.parse(Buffer.concat(lines).toString()) as PodAnswered;
    },
  };
}
