/** The names that an InternalDNS reports: on its page, in its status and in Events. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Verdict } from '../../../functions/contract/verdict.ts';
import { get, list, until } from './kubectl.ts';

export interface ReportedName {
  name: string;
  resource: string;
  verdict: Verdict;
  message: string;
  answers: string[];
  since: string;
}

/** The JSON of the status page. */
export interface Table {
  names: ReportedName[];
  total: number;
  resolved: number;
  resolution?: { state: string; since: string; message?: string };
  discovery: { state: string };
  hint?: string;
}

/** The URL of the status page. */
export async function statusAddress(composite: string): Promise<string> {
  const { spec } = await get('service', `idns-${composite}-status`, 'internal-dns');
  return `http://${spec.clusterIP}:8080`;
}

export async function tableAt(address: string, host = ''): Promise<Table> {
  const response = await fetch(`${address}/names.json?host=${encodeURIComponent(host)}`, {
    signal: AbortSignal.timeout(5_000),
  });
  return (await response.json()) as Table;
}

type Problem = Pick<ReportedName, 'name' | 'resource' | 'verdict' | 'message'>;

/** The hosts that do not resolve, from the composite's status: the 20 worst. */
export async function problemsOf(composite: string): Promise<Problem[]> {
  return (await get('internaldns', composite)).status.names?.problems ?? [];
}

/** Waits until the composite's status reports why a host of an object does not resolve. Reports are at least ten seconds apart. */
export const untilReported = (
  composite: string,
  { name, resource, verdict, message }: Omit<Problem, 'message'> & { message: RegExp },
) =>
  until(`the status reports ${name} as ${verdict}`, async () => {
    const problems = await problemsOf(composite);
    const matches = (p: Problem) =>
      p.name === name && p.resource === resource && p.verdict === verdict && message.test(p.message);
    return problems.some(matches) || problems;
  });

/** `Reason: message` of an instance's Events on an object, oldest first. */
export async function eventsOn(composite: string, kind: string, name: string, namespace: string): Promise<string[]> {
  const { uid } = (await get(kind, name, namespace)).metadata;
  const events = await list('event', { namespace, fields: `involvedObject.uid=${uid}` });
  return events
    .filter((event) => event.message.endsWith(` (InternalDNS ${composite})`))
    .sort((a, b) => Date.parse(a.lastTimestamp) - Date.parse(b.lastTimestamp))
    .map(({ reason, message }) => `${reason}: ${message}`);
}

export interface EventWatch {
  /** When an Event with this text was first seen, by `performance.now()`. */
  seenAt(text: string): number | undefined;
  stop(): void;
}

/** Watches the Events of a namespace with kubectl: only new ones, or with `--watch` the existing ones, too. */
export function watchEvents(namespace: string, flag: '--watch-only' | '--watch' = '--watch-only'): EventWatch {
  const seen = new Map<string, number>();
  const output = 'jsonpath={.reason} {.message}{"\\n"}';
  const child = spawn('kubectl', ['get', 'events', '-n', namespace, flag, '-o', output], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!seen.has(line)) seen.set(line, performance.now());
  });
  return {
    seenAt: (text) => [...seen].find(([line]) => line.includes(text))?.[1],
    stop: () => void child.kill(),
  };
}
