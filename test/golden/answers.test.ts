import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Answer, type Answers, answersFrom, differenceText } from './answers.ts';

const config = (name: string, lines: string[] = []) => ({
  ready: 'READY_FALSE',
  resource: {
    kind: 'ConfigMap',
    metadata: { name: `idns-${name}-powerdns` },
    data: { 'pdns.conf': ['launch=gsqlite3', 'api=yes', 'default-ttl=60', ...lines, ''].join('\n') },
  },
});
const binding = (name: string) => ({ ready: 'READY_TRUE', resource: { kind: 'RoleBinding', metadata: { name } } });

type Resources = Answer['desired']['resources'];
const answer = (name: string, resources: Resources, status: string): Answer => ({
  conditions: [{ type: 'ServerReady', status }],
  desired: { composite: { resource: { status: { zones: [{ name: `${name}.internal`, state: status }] } } }, resources },
});
const ready = (resources: Resources): Resources =>
  Object.fromEntries(Object.entries(resources).map(([key, value]) => [key, { ...value, ready: 'READY_TRUE' }]));

/** The answers for the composite `name` that has `objects`. */
const answersOf = (name: string, objects: Resources = { powerdns: config(name) }): Answers => ({
  names: [name, `${name}.internal`],
  first: answer(name, objects, 'False'),
  later: answer(name, { ...ready(objects), binding: binding(`idns-${name}`) }, 'True'),
});

const minimal = answersOf('corp');

/** The differences of the first and the later answer from minimal's. */
function differences(answers: Answers): object[] {
  const text = differenceText(answers, minimal);
  expect(answersFrom(text, minimal)).toEqual(answers);
  return parseAllDocuments(text)
    .slice(1)
    .map((document) => document.toJS());
}

describe('the golden file of an example', () => {
  test('is empty when only the names differ', () => {
    expect(differences(answersOf('house'))).toEqual([{}, {}]);
  });

  test('shows a name that is not derived from that of the composite', () => {
    const strange = { powerdns: config('corp') };
    expect(differences(answersOf('house', strange))).toEqual([
      { changed: { powerdns: { resource: { metadata: { name: 'idns-corp-powerdns' } } } } },
      {},
    ]);
  });

  test('has new objects, the keys of removed ones, and patches of changed ones', () => {
    const other = { powerdns: config('house', ['expand-alias=yes']), access: config('house') };
    expect(differences(answersOf('house', other))).toEqual([
      {
        new: { access: config('house') },
        changed: { powerdns: { resource: { data: { 'pdns.conf': { $lines: '@@ end\n+expand-alias=yes\n' } } } } },
      },
      {},
    ]);
    expect(differences(answersOf('house', {}))).toEqual([{ gone: ['powerdns'] }, {}]);
  });

  test('shows an object that does not become ready and one that is never added', () => {
    const { later, ...house } = answersOf('house');
    const resources = { powerdns: config('house') };
    expect(differences({ ...house, later: { ...later, desired: { ...later.desired, resources } } })).toEqual([
      {},
      { gone: ['binding'], changed: { powerdns: { ready: 'READY_FALSE' } } },
    ]);
  });

  test('shows only the conditions and status items that differ', () => {
    const house = answersOf('house');
    const first = answer('house', house.first.desired.resources, 'Unknown');
    expect(differences({ ...house, first })).toEqual([
      {
        rest: {
          conditions: { $by: 'type', ServerReady: { status: 'Unknown' } },
          desired: {
            composite: { resource: { status: { zones: { $by: 'name', 'house.internal': { state: 'Unknown' } } } } },
          },
        },
      },
      {},
    ]);
  });
});
