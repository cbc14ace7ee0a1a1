/** A cluster's names as a client resolves them, through the DNS Service of an InternalDNS. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Question, query, type Reply } from '../powerdns/query.ts';
import { get, kubectl, until } from './kubectl.ts';

export interface Client {
  /** The whole reply. */
  ask(name: string, type?: Question['type'], tcp?: boolean): Promise<Reply>;
  /** The sorted answers of one type; the response code when there are none. */
  answer(name: string, type?: Question['type'], tcp?: boolean): Promise<string>;
  /** Waits for an answer, and gives the seconds it took. */
  becomes(name: string, wanted: string, seconds?: number, type?: Question['type']): Promise<number>;
  /** The `answer` of type A, if it comes within a second. */
  promptly(name: string): Promise<string>;
}

/** A client of the instance `composite`, at the address that its status gives, or at another one. */
export async function clientOf(composite: string, address?: string): Promise<Client> {
  if (address) return clientAt(address);
  const { status } = await get('internaldns', composite);
  return clientAt(status.address, status.port);
}

export function clientAt(server: string, port = 53): Client {
  const ask: Client['ask'] = (name, type = 'A', tcp = false) => query({ name, type, server, port, tcp });
  const answer: Client['answer'] = async (...question) => answersIn(await ask(...question));
  const prompt = async (name: string, type: Question['type']) =>
    answersIn(await query({ name, type, server, port, timeout: 1000 }));
  return {
    ask,
    answer,
    promptly: (name) => prompt(name, 'A'),
    becomes: (name, wanted, seconds = 15, type = 'A') =>
      until(
        `${name} ${type} is ${wanted}`,
        seconds,
        async () => {
          const seen = await prompt(name, type);
          return seen === wanted || seen;
        },
        50,
      ),
  };
}

const answersIn = ({ rcode, answers }: Reply) =>
  answers
    .map(({ data }) => (typeof data === 'string' ? data : JSON.stringify(data)))
    .sort()
    .join(' ') || rcode;

/**
 * Three loops of ExternalDNS in which nothing is written, after the first that finds nothing to do: whatever had to be
 * done is done, and nothing is fought over. The agent reads its zones anew meanwhile, every 4.5 s. A record is answered
 * before the agent has logged it, and logged before ExternalDNS begins its next loop. Whoever changes something waits for
 * the answer before asking for quiet.
 */
export async function quiet(composite: string, replica = 0): Promise<void> {
  const pod = `idns-${composite}-${replica}`;
  const now = new Date().toISOString();
  const log = async (container: string, ...flags: string[]) =>
    (await kubectl('-n', 'internal-dns', 'logs', pod, '-c', container, `--since-time=${now}`, ...flags)).split('\n');
  // ExternalDNS tells whole seconds, so they are taken from who reads its output.
  let loops: string[] = [];
  await until(
    'four loops of ExternalDNS',
    60,
    async () => {
      const lines = (await log('external-dns', '--timestamps')).filter((line) => line > now);
      loops = lines.filter((line) => line.includes('All records are already up to date'));
      return loops.length >= 4 || loops.length;
    },
    500,
  );
  const [first = ''] = (loops[0] ?? '').split(' ');
  const writes = (await log('agent'))
    .filter((line) => /apply discovered|change zone|create zone/.test(line))
    .filter((line) => JSON.parse(line).time > first);
  if (writes.length > 0) throw new Error(`${pod} is not quiet: ${writes[0]}`);
}

export interface Watch {
  /** Ends the watch. */
  stop(): Promise<{ asked: number; unanswered: number; longestGapSeconds: number }>;
}

/**
 * Asks one question every `every` milliseconds, each from a port of its own as resolvers do, and counts those that stay
 * without the right answer for a second. A question is not repeated.
 */
export function watchAnswers(client: Client, name: string, wanted: string, every = 20): Watch {
  let isOver = false;
  let asked = 0;
  let unanswered = 0;
  let lastAnswer = performance.now();
  let longestGap = 0;
  const pending = new Set<Promise<void>>();
  const ask = async (): Promise<void> => {
    const seen = await client.promptly(name).catch(() => 'nothing');
    const now = performance.now();
    if (seen !== wanted) unanswered++;
    else {
      longestGap = Math.max(longestGap, now - lastAnswer);
      lastAnswer = now;
    }
  };
  const loop = (async () => {
    while (!isOver) {
      asked++;
      const question = ask().finally(() => pending.delete(question));
      pending.add(question);
      await sleep(every);
    }
    await Promise.all(pending);
  })();
  return {
    stop: async () => {
      isOver = true;
      await loop;
      return { asked, unanswered, longestGapSeconds: longestGap / 1000 };
    },
  };
}
