import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../functions/kubectl-idns/arguments.ts';
import { parseHost } from '../../functions/kubectl-idns/why.ts';

describe('a wrong use is refused in one line that says what to do', () => {
  test.each<[string[], string]>([
    [[], 'cannot run kubectl idns: no command: see kubectl idns --help'],
    [['nonsense'], 'cannot run kubectl idns: unknown command nonsense: see kubectl idns --help'],
    [['names', '-x'], "cannot run kubectl idns: unknown option '-x': see kubectl idns --help"],
    [
      ['names', '--instance'],
      "cannot run kubectl idns: option '--instance <value>' argument missing: see kubectl idns --help",
    ],
    [['why', 'a', '--yes'], 'cannot run kubectl idns why: it has no flag --yes: see kubectl idns --help'],
    [
      ['import', 'a', 'b', '-o', 'json'],
      'cannot run kubectl idns import: it has no flag --output: see kubectl idns --help',
    ],
    [['zones', 'a'], 'cannot run kubectl idns zones: unexpected a: see kubectl idns --help'],
    [
      ['zones', '-o', 'yaml'],
      'cannot run kubectl idns zones: unknown output yaml, use -o json: see kubectl idns --help',
    ],
    [
      ['zones', '--instance=--token'],
      'cannot use --instance --token: not a name in Kubernetes: kubectl get internaldns shows them',
    ],
    [
      ['zones', '-n', '../x'],
      'cannot use --namespace ../x: not a name in Kubernetes: kubectl get namespaces shows them',
    ],
  ])('%j', (args, message) => {
    expect(() => parseArguments(args)).toThrow(new Error(message));
  });

  test.each([undefined, '', '.', 'https://a.corp.internal/', 'a b', 'x'.repeat(254)])('the host %j', (host) => {
    expect(() => parseHost(host)).toThrow(/^cannot look up .+: .+: .+ web\.corp\.internal$/);
  });
});

test('flags are read before and after the command', () => {
  expect(parseArguments(['-o', 'json', 'why', 'a.corp.internal', '--context', 'c'])).toMatchObject({
    command: 'why',
    operands: ['a.corp.internal'],
    values: { output: 'json', context: 'c' },
  });
  expect(parseArguments(['names', '-h']).command).toBe('help');
  expect(parseHost('Web.Corp.Internal.')).toBe('web.corp.internal');
});
