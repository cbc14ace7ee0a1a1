/** What an InternalDNS says of names, at each of the places where people look. */
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

/** The agent's own table. */
export interface Table {
  names: ReportedName[];
  total: number;
  resolved: number;
  resolution?: { state: string; since: string; message?: string };
  discovery: { state: string };
  hint?: string;
}

/** An address of the Service that the status page has. */
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

/** The hosts that do not resolve, as the composite's status has them: the gravest 20. */
export async function problemsOf(composite: string): Promise<Problem[]> {
  return (await get('internaldns', composite)).status.names?.problems ?? [];
}

/** Waits until the composite's status says why a host of an object does not resolve. A report waits ten seconds for the next one. */
export const untilReported = (
  composite: string,
  { name, resource, verdict, message }: Omit<Problem, 'message'> & { message: RegExp },
) =>
  until(`the status says that ${name} is ${verdict}`, async () => {
    const problems = await problemsOf(composite);
    const isIt = (p: Problem) =>
      p.name === name && p.resource === resource && p.verdict === verdict && message.test(p.message);
    return problems.some(isIt) || problems;
  });

/** `Reason: message` of the Events on an object by one instance, the oldest first. */
export async function eventsOn(composite: string, kind: string, name: string, namespace: string): Promise<string[]> {
  const { uid } = (await get(kind, name, namespace)).metadata;
  const events = await list('events', '-n', namespace, '--field-selector', `involvedObject.uid=${uid}`);
  return events
    .filter((event) => event.message.endsWith(` (InternalDNS ${composite})`))
    .sort((a, b) => Date.parse(a.lastTimestamp) - Date.parse(b.lastTimestamp))
    .map(({ reason, message }) => `${reason}: ${message}`);
}

export interface EventWatch {
  /** When an Event with this text was seen first, by `performance.now()`. */
  seenAt(text: string): number | undefined;
  stop(): void;
}

/** Follows the Events of a namespace as kubectl shows them: those to come, or with `--watch` those that are there, too. */
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
