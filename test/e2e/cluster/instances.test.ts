import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { examples } from '../../examples.ts';
import { readObjects } from '../../render.ts';

/** Scenarios of examples, and those that run before or after all others. */
const ofExamples = ['editors', 'installation', 'readme', 'tailnet', 'upgrade'];

test('scenarios that run at the same time have instances of other names, and of other names than examples', () => {
  const folder = 'test/e2e';
  const scenarios = readdirSync(folder).filter((file) => file.endsWith('.test.ts'));
  const owners = new Map<string, string[]>();
  const own = (instance: string, scenario: string) => {
    owners.set(instance, [...new Set([...(owners.get(instance) ?? []), scenario])]);
  };
  for (const file of scenarios) {
    const scenario = basename(file, '.test.ts');
    if (ofExamples.includes(scenario)) continue;
    const text = readFileSync(`${folder}/${file}`, 'utf8');
    for (const [, instance] of text.matchAll(/\b(?:internalDNS|owns)\('([^']+)'/g)) own(instance as string, scenario);
  }
  expect(owners.size).toBeGreaterThan(40);
  for (const file of Object.values(examples)) {
    const composite = readObjects(file).find(({ kind }) => kind === 'InternalDNS');
    if (composite) own(composite.metadata.name, 'examples');
  }
  expect([...owners].filter(([, scenarios]) => scenarios.length > 1)).toEqual([]);
});
