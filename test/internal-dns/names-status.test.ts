import { describe, expect, test } from 'vitest';
import { type Report, type Resolution, resolutionStates } from '../../functions/contract/report.ts';
import { namesOf } from '../../functions/internal-dns/names.ts';
import { isServed, namesStatusOf, resolutionStatusOf, resolvable } from '../../functions/internal-dns/names-status.ts';
import { parseSpec } from '../../functions/internal-dns/spec.ts';
import { internalDNSOf } from './refusals.ts';

type NamesReport = NonNullable<Report['names']>;
type Problem = NamesReport['problems'][number];

const zones = [{ name: 'corp.internal' }];
const discovering = parseSpec(internalDNSOf({ zones }));
const nothing = parseSpec(internalDNSOf({ zones, discovery: { sources: [] } }));

const report = (members: Partial<Report>): Report => ({
  declaration: 'any',
  zones: [],
  discovery: { state: 'Synced' },
  ...members,
});

const problem = (name: string, verdict: Problem['verdict'] = 'NoAddress'): Problem => ({
  name: `${name}.corp.internal`,
  resource: `ingress/shop/${name}`,
  verdict,
  message: `${name} is why`,
});

const knowing = (resolved: number, total: number, ...problems: Problem[]): NamesReport => ({
  total,
  resolved,
  problems,
});

describe('the names of the status', () => {
  const namesIn = (...names: (NamesReport | undefined)[]) =>
    namesStatusOf(
      discovering,
      names.map((each) => report(each ? { names: each } : {})),
    );

  test.each<[string, (NamesReport | undefined)[], NamesReport | undefined]>([
    ['are the only ones', [knowing(1, 2, problem('a'))], knowing(1, 2, problem('a'))],
    [
      'are of the replica that leaves the most unresolved',
      [knowing(3, 3), knowing(1, 3), knowing(2, 3)],
      knowing(1, 3),
    ],
    ['are not of one that has just started and knows of none', [knowing(0, 0), knowing(10, 40)], knowing(10, 40)],
    ['are of the one that knows the most when all resolve', [knowing(0, 0), knowing(3, 3)], knowing(3, 3)],
    [
      'are of the first pod of those that leave as many',
      [knowing(3, 3), knowing(2, 3, problem('a')), knowing(2, 3, problem('b'))],
      knowing(2, 3, problem('a')),
    ],
    ['are of the one that knows any', [undefined, knowing(3, 3)], knowing(3, 3)],
    ['are absent while no replica knows them', [undefined, undefined], undefined],
  ])('%s', (_, names, expected) => {
    expect(namesIn(...names)).toEqual(expected);
  });

  test('are absent without a report, and without discovery', () => {
    expect(namesStatusOf(discovering, [undefined])).toBeUndefined();
    expect(namesStatusOf(nothing, [report({ names: knowing(1, 2) })])).toBeUndefined();
  });
});

const tested = (state: Resolution['state'], since: string, message?: string): Report =>
  report({ resolution: { state, since: `2026-01-31T12:00:${since}Z`, ...(message && { message }) } });

describe('the resolution of the status', () => {
  const resolutionOf = (...reports: (Report | undefined)[]) =>
    resolutionStatusOf(
      reports.map((_, index) => `idns-corp-${index}`),
      reports,
    );

  test('is absent before the first test', () => {
    expect(resolutionOf(undefined, report({}))).toBeUndefined();
  });

  test('is that of the only pod, unchanged', () => {
    const only = tested('Unreachable', '01', 'why');
    expect(resolutionOf(only)).toEqual(only.resolution);
  });

  test.each(
    (['NotAnswering', 'Unreachable', 'NotUpdating', 'Stalled', 'Blind', 'Serving'] as const).flatMap(
      (worse, index, all) => all.slice(index + 1).map((better) => [worse, better] as const),
    ),
  )('is %s rather than %s, whichever pod says so', (worse, better) => {
    const expected = { state: worse, since: '2026-01-31T12:00:05Z' };
    const one = resolutionOf(tested(better, '01', 'better'), tested(worse, '05', 'worse'));
    expect(one).toEqual({ ...expected, message: 'idns-corp-1: worse' });
    const other = resolutionOf(tested(worse, '05', 'worse'), tested(better, '09', 'better'));
    expect(other).toEqual({ ...expected, message: 'idns-corp-0: worse' });
  });

  test('is a failure since the first pod has it, and a success since the last one has', () => {
    const failing = resolutionOf(
      tested('Stalled', '05', 'b'),
      tested('Stalled', '02', 'a'),
      tested('Stalled', '09', 'c'),
    );
    expect(failing).toMatchObject({ since: '2026-01-31T12:00:02Z', message: 'idns-corp-1: a' });
    const serving = resolutionOf(tested('Serving', '05'), tested('Serving', '09'), tested('Serving', '02'));
    expect(serving).toEqual({ state: 'Serving', since: '2026-01-31T12:00:09Z' });
  });
});

test('names are served unless a test fails, and an unreachable API server is not such a failure', () => {
  const served = resolutionStates.filter((state) => isServed(tested(state, '00').resolution));
  expect(served).toEqual(['Serving', 'Blind']);
  expect(isServed(undefined)).toBe(true);
});

describe('Resolvable', () => {
  const names = namesOf('corp', 1);
  const conditionOf = (known?: NamesReport, resolution?: Resolution, spec = discovering) => {
    const { type, status, reason, message } = resolvable({ spec, names, known, resolution });
    expect(type).toBe('Resolvable');
    return [status, reason, message];
  };
  const outside = problem('x', 'OutsideZones');
  const filtered = problem('f', 'Filtered');

  test.each<[string, NamesReport | undefined, (string | undefined)[]]>([
    ['every name resolves', knowing(2, 2), ['True', 'Resolved', undefined]],
    ['no object asks for a name', knowing(0, 0), ['True', 'Resolved', undefined]],
    ['one does not', knowing(1, 2, problem('a')), ['False', 'NoAddress', 'a.corp.internal (ingress/shop/a): a is why']],
    [
      'more fail than anybody would read: the reason is the most severe',
      knowing(0, 4, problem('a', 'Refused'), problem('b'), problem('c', 'Pending'), problem('d')),
      [
        'False',
        'Refused',
        'a.corp.internal (ingress/shop/a): a is why; b.corp.internal (ingress/shop/b): b is why; c.corp.internal (ingress/shop/c): c is why',
      ],
    ],
    [
      'one does not, and others are not for this server',
      knowing(1, 2, problem('a', 'Held'), filtered, outside),
      ['False', 'Held', 'a.corp.internal (ingress/shop/a): a is why'],
    ],
    [
      'the only others are not for this server',
      knowing(2, 2, filtered, outside),
      [
        'True',
        'Resolved',
        'not for this server: f.corp.internal (ingress/shop/f): f is why; x.corp.internal (ingress/shop/x): x is why',
      ],
    ],
    [
      'the report had no room for those that do not',
      knowing(1, 2),
      [
        'False',
        'NotResolved',
        'too many to list here: kubectl -n internal-dns port-forward svc/idns-corp-status 8080, then see http://127.0.0.1:8080/names.txt',
      ],
    ],
    [
      'nobody knows the names yet',
      undefined,
      [
        'Unknown',
        'Waiting',
        'no agent has reported yet which names objects request; if this lasts, see DiscoveryReady and the log of the container agent',
      ],
    ],
  ])('when %s', (_, known, expected) => {
    expect(conditionOf(known)).toEqual(expected);
    const serving = { state: 'Serving' as const, since: '2026-01-31T12:00:00Z' };
    expect(conditionOf(known, serving)).toEqual(expected);
    const failing = { state: 'Stalled' as const, since: '2026-01-31T12:00:00Z', message: 'why' };
    expect(conditionOf(known, failing)).toEqual(['False', 'Stalled', 'why']);
  });

  test('has a default message if a failed test has none', () => {
    const resolution = { state: 'Blind' as const, since: '2026-01-31T12:00:00Z' };
    expect(conditionOf(undefined, resolution)).toEqual(['False', 'Blind', 'see the log of the container agent']);
  });

  test('is Off without discovery, as long as the server is Serving', () => {
    expect(conditionOf(undefined, undefined, nothing)[1]).toBe('Off');
    const resolution = { state: 'NotAnswering' as const, since: '2026-01-31T12:00:00Z', message: 'why' };
    expect(conditionOf(undefined, resolution, nothing)).toEqual(['False', 'NotAnswering', 'why']);
  });

  test('has the same message while only the counts change', () => {
    expect(conditionOf(knowing(1, 2, problem('a')))).toEqual(conditionOf(knowing(38, 40, problem('a'))));
  });
});
