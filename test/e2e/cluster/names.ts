/** Resolves names through the DNS Service of an InternalDNS, as a client does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Question, query, type Reply } from '../../powerdns/query.ts';
import { get, until } from './kubectl.ts';

export interface Client {
  /** The whole reply. */
  ask(name: string, type?: Question['type'], tcp?: boolean): Promise<Reply>;
  /** The sorted answers of one type; the response code when there are none. */
  answer(name: string, type?: Question['type'], tcp?: boolean): Promise<string>;
  /** Like `answer`, of a query that is sent only once. */
  firstAnswer(name: string): Promise<string>;
  /** Waits for an answer, and returns the seconds it took. */
  becomes(name: string, expected: string, type?: Question['type']): Promise<number>;
}

/** A client of the instance `composite`, at the address in its status or at the given one. */
export async function clientOf(composite: string, address?: string): Promise<Client> {
  if (address) return clientAt(address);
  const { status } = await get('internaldns', composite);
  return clientAt(status.address, status.port);
}

export function clientAt(server: string, port = 53): Client {
  // As a resolver does: UDP loses a packet now and then, and a network policy controller drops its queued packets when a Pod
  // changes: https://github.com/kubernetes-sigs/kube-network-policies/issues/402
  const attempts = 2;
  const ask: Client['ask'] = (name, type = 'A', tcp = false) => query({ name, type, server, port, tcp, attempts });
  const answer: Client['answer'] = async (...question) => answersIn(await ask(...question));
  const prompt = async (name: string, type: Question['type']) =>
    answersIn(await query({ name, type, server, port, timeout: 1000 }));
  return {
    ask,
    answer,
    firstAnswer: async (name) => answersIn(await query({ name, server, port })),
    becomes: (name, expected, type = 'A') =>
      until(
        `${name} ${type} is ${expected}`,
        async () => {
          const seen = await prompt(name, type);
          return seen === expected || seen;
        },
        { every: 50 },
      ),
  };
}

const answersIn = ({ rcode, answers }: Reply) =>
  answers
    .map(({ data }) => (typeof data === 'string' ? data : JSON.stringify(data)))
    .sort()
    .join(' ') || rcode;

export interface Answered {
  asked: number;
  unanswered: number;
  unansweredInARow: number;
  /** The longest time from the first to the last unanswered query, if no two seconds without any are between them. */
  lostForSeconds: number;
  longestGapSeconds: number;
  /** Until the slowest right answer. */
  slowestSeconds: number;
}

/**
 * The most queries that a client may lose one after the other while pods start or stop, whatever is done about it: a network
 * policy controller drops its queued packets when a pod of the node changes, and kube-proxy the answers in flight when it
 * deletes connection tracking entries.
 * https://github.com/kubernetes-sigs/kube-network-policies/blob/v0.8.0/pkg/networkpolicy/controller.go#L716-L724
 */
export const mostLostInARow = 9;

export interface Watch {
  /** Ends the watch. */
  stop(): Promise<Answered>;
}

/**
 * Sends a query every `every` milliseconds, each from a new port as resolvers do, and counts those without the right answer
 * within a resolver's timeout. Nothing is retried.
 * @param name of all queries, or of each one, where a cache is in between
 */
export function watchAnswers(
  client: Client,
  name: string | ((index: number) => string),
  expected: string,
  every = 20,
): Watch {
  let isOver = false;
  const outcomes: boolean[] = [];
  const sentAt: number[] = [];
  let lastAnswer = performance.now();
  let longestGap = 0;
  let slowest = 0;
  const pending = new Set<Promise<void>>();
  const ask = async (index: number): Promise<void> => {
    sentAt[index] = performance.now();
    const seen = await client.firstAnswer(typeof name === 'string' ? name : name(index)).catch(() => 'nothing');
    const now = performance.now();
    outcomes[index] = seen === expected;
    if (seen !== expected) return;
    longestGap = Math.max(longestGap, now - lastAnswer);
    slowest = Math.max(slowest, now - (sentAt[index] as number));
    lastAnswer = now;
  };
  const loop = (async () => {
    for (let index = 0; !isOver; index++) {
      const query = ask(index).finally(() => pending.delete(query));
      pending.add(query);
      await sleep(every);
    }
    await Promise.all(pending);
  })();
  return {
    stop: async () => {
      isOver = true;
      await loop;
      let inARow = 0;
      const lostAt = sentAt.filter((_, index) => !outcomes[index]);
      const rows = outcomes.map((isAnswered) => (inARow = isAnswered ? 0 : inARow + 1));
      return {
        asked: outcomes.length,
        unanswered: outcomes.filter((isAnswered) => !isAnswered).length,
        unansweredInARow: Math.max(0, ...rows),
        lostForSeconds: longestOf(lostAt, 2000) / 1000,
        longestGapSeconds: longestGap / 1000,
        slowestSeconds: slowest / 1000,
      };
    },
  };
}

/** The length of the longest run of ascending times, in which none is more than `apart` after the one before. */
function longestOf(times: readonly number[], apart: number): number {
  let [first = 0] = times;
  let last = first;
  let longest = 0;
  for (const time of times) {
    if (time - last > apart) first = time;
    last = time;
    longest = Math.max(longest, last - first);
  }
  return longest;
}
