import { describe, expect, test } from 'vitest';
import {
  afterAnswer,
  answeredNow,
  checkedIn,
  healthOf,
  inDoubt,
  type Looks,
  looksIn,
  type PublishedAnswer,
} from '../../../functions/agent/machines/health.ts';
import type { Answer } from '../../../functions/dns/answer.ts';

const [a, b] = ['192.0.2.1', '192.0.2.2'];
const start = Date.parse('2026-01-31T12:00:00Z');
const at = (seconds: number) => start + seconds * 1_000;
const check = { port: 25 };

/** Whether an address is up, and since which second; `?` if that is not known. */
const state = (looks: Looks | undefined, address: string) => {
  const health = healthOf(address, looks);
  return health ? `${health.isUp ? 'up' : 'down'} ${(Date.parse(health.since ?? '') - start) / 1_000}` : '?';
};

/** What is known of both addresses after each answer: a second, and what passes; without that, there was no answer. */
function histories(answers: [second: number, passing?: string[]][], before?: Looks): string[] {
  let looks = before;
  return answers.map(([second, passing]) => {
    looks = passing
      ? afterAnswer(looks, { checked: [a, b], passing: new Set(passing), check, at: at(second) })
      : inDoubt(looks, at(second));
    return `${state(looks, a)}, ${state(looks, b)}`;
  });
}

describe('what is known of an address', () => {
  test.each<{ reason: string; answers: [number, string[]?][]; known: string[] }>([
    {
      reason: 'one that passes is up at once, and one that does not is unknown until its check has run',
      answers: [
        [0, []],
        [2, [a]],
        [6, [a]],
        [8, [a]],
      ],
      known: ['?, ?', 'up 2, ?', 'up 2, ?', 'up 2, down 8'],
    },
    {
      reason: 'later one that fails is down at once, and comes back at once',
      answers: [
        [0, [a, b]],
        [20, [a]],
        [30, [a]],
        [32, [a, b]],
      ],
      known: ['up 0, up 0', 'up 0, down 20', 'up 0, down 20', 'up 0, up 32'],
    },
    {
      reason: 'all that fail at once are believed to when a new PowerDNS would have checked them',
      answers: [
        [0, [a, b]],
        [20, []],
        [26, []],
        [28, []],
        [40, []],
      ],
      known: ['up 0, up 0', 'up 0, up 0', 'up 0, up 0', 'down 28, down 28', 'down 28, down 28'],
    },
    {
      reason: 'a new PowerDNS makes nothing down that was up',
      answers: [[0, [a, b]], [20], [22, []], [24, [a]], [28, [a, b]], [60, [a, b]]],
      known: Array(6).fill('up 0, up 0'),
    },
    {
      reason: 'one that is down stays so while there is no answer',
      answers: [[0, [a]], [9, [a]], [20], [22, [a]]],
      known: ['up 0, ?', 'up 0, down 9', 'up 0, down 9', 'up 0, down 9'],
    },
  ])('$reason', ({ answers, known }) => {
    expect(histories(answers)).toEqual(known);
  });

  test('is the same object while nothing changes', () => {
    const look = { checked: [a, b], passing: new Set([a]), check };
    const first = afterAnswer(undefined, { ...look, at: at(0) });
    expect(afterAnswer(first, { ...look, at: at(2) })).toBe(first);
    const later = afterAnswer(first, { ...look, at: at(10) });
    expect(later).not.toBe(first);
    expect(afterAnswer(later, { ...look, at: at(12) })).toBe(later);
  });

  test('waits for checks with a long timeout', () => {
    const look = { checked: [a, b], passing: new Set([a]), check: { port: 25, timeout: '5s' } };
    const first = afterAnswer(undefined, { ...look, at: at(0) });
    expect(state(afterAnswer(first, { ...look, at: at(10) }), b)).toBe('?');
    expect(state(afterAnswer(first, { ...look, at: at(11) }), b)).toBe('down 11');
  });

  test('survives the agent in the status of the claim', () => {
    const since = new Date(at(-60)).toISOString();
    const entry = {
      name: 'corp',
      members: [
        { machine: 'a/m1', addresses: [a], state: 'Up' as const },
        { machine: 'a/m2', addresses: [b], state: 'Down' as const, since },
      ],
    };
    const known = histories(
      [
        [0, []],
        [2, [a]],
        [10, [a]],
      ],
      looksIn(entry, at(0)),
    );
    expect(known).toEqual(Array(3).fill('up 0, down -60'));
    expect(looksIn({ name: 'corp', members: [{ addresses: [a] }] }, at(0))).toBeUndefined();
  });
});

describe('what is answered now', () => {
  const backup = ['192.0.2.9', '192.0.2.10'];
  const looks = (up: string[], unknown: string[] = []): Looks => ({
    ...{ doubtAt: at(0), hadAny: true },
    addresses: new Map(
      [a, b, ...backup].map((address) => [
        address,
        { isUp: unknown.includes(address) ? undefined : up.includes(address), since: at(0) },
      ]),
    ),
  });
  const published = (answer: Answer): PublishedAnswer => ({ type: 'A', values: [a, b], answer });

  test.each<[reason: string, answer: Answer, looks: Looks | undefined, answered: string[]]>([
    ['no check', { answer: 'Random' }, undefined, [a, b]],
    ['nothing known yet', { check }, undefined, [a, b]],
    ['one is up', { check }, looks([a]), [a]],
    ['one is up, and another is not known', { check, whenAllDown: 'None' }, looks([a], [b]), [a]],
    ['none is known to be up', { check, whenAllDown: 'None' }, looks([], [b]), [a, b]],
    ['all are down', { check }, looks([]), [a, b]],
    ['all are down: All', { check, whenAllDown: 'All' }, looks([]), [a, b]],
    ['all are down: None', { check, whenAllDown: 'None' }, looks([]), []],
    ['all are down: Backup', { check, whenAllDown: 'Backup', backup }, looks(['192.0.2.10']), ['192.0.2.10']],
    ['all are down, backups, too', { check, whenAllDown: 'Backup', backup }, looks([]), backup],
  ])('%s', (_, answer, known, answered) => {
    expect(answeredNow(published(answer), known)).toEqual(answered);
  });

  test('backups are checked like values, each once', () => {
    expect(checkedIn(published({ check, whenAllDown: 'Backup', backup: [b, ...backup] }))).toEqual([a, b, ...backup]);
  });
});
