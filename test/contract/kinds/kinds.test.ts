import { describe, expect, test } from 'vitest';
import { issuePath } from '../../../functions/contract/issue-path.ts';
import { machineSpec } from '../../../functions/contract/kinds/machine.ts';
import { nameClaimSpec } from '../../../functions/contract/kinds/name-claim.ts';
import { zoneSpec } from '../../../functions/contract/kinds/zone.ts';
import { badClaims, badMachines, badZones, goodClaims, goodMachines, goodZones } from './refusals.ts';

describe.each([
  ['Machine', machineSpec, badMachines, goodMachines],
  ['NameClaim', nameClaimSpec, badClaims, goodClaims],
  ['Zone', zoneSpec, badZones, goodZones],
] as const)('the spec of a %s', (_, schema, bad, good) => {
  test.for(bad)('is refused when $reason', ({ spec, path: at, message }) => {
    const { error } = schema.safeParse(spec);
    const messages = error?.issues.filter((issue) => issuePath(issue.path) === at).map((issue) => issue.message) ?? [];
    const matches = (text: string) => (typeof message === 'string' ? text.startsWith(message) : message.test(text));
    expect(messages.find(matches), JSON.stringify(error?.issues)).toBeDefined();
  });

  test.for(good)('is accepted: %j', (spec) => {
    expect(schema.safeParse(spec).error).toBeUndefined();
  });
});

test('a Machine that says nothing has its PTR records, and no address yet', () => {
  expect(machineSpec.parse({})).toEqual({ addresses: [], aliases: [], reverse: 'Publish' });
});
