import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Ready, RunFunctionResponse, Status } from '@crossplane-org/function-sdk-typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { yamlOf } from '../crossplane.ts';
import { examples } from '../examples.ts';
import { type RunningFunction, startFunction } from '../function.ts';
import { makeCertificates } from '../protocol/certificates.ts';
import { type FunctionClient, makeClient, requestFor } from '../protocol/client.ts';
import { readComposite } from '../render.ts';
import { running } from './cluster.ts';

// As Crossplane calls it: a process of its own, mutual TLS, and the composite with the definition's defaults.
const certificatesFolder = mkdtempSync(join(tmpdir(), 'golden-'));
let served: RunningFunction;
let client: FunctionClient;
beforeAll(async () => {
  const certificates = makeCertificates(certificatesFolder);
  served = await startFunction({ certificates: certificatesFolder });
  client = makeClient({ address: served.address, certificates });
});
afterAll(async () => {
  client?.close();
  await served?.stop();
  rmSync(certificatesFolder, { recursive: true });
});

/** The composite with the status that a response gives it. */
const after = (composite: KubernetesObject, { desired }: RunFunctionResponse): KubernetesObject => ({
  ...composite,
  status: desired?.composite?.resource?.status,
});

const ask = (composite: KubernetesObject, observed?: Observed) => client.run(requestFor(composite, observed));

const header = `# What the function answers for this example, first when nothing exists yet, then when all is well, where of the resources
# only what has changed is repeated. Written by \`make golden\`: review the difference.
`;

describe.for(Object.entries(examples))('example %s', ([name, file]) => {
  test('gives the responses in its golden file', async () => {
    const composite = readComposite(file);
    const first = await ask(composite);
    let last = first;
    // Its own answer changes once the Role and the Service's address are there, and once the keys of signed zones are.
    for (let again = 0; again < 3; again++) last = await ask(after(composite, last), running(composite, last));

    expect(readinessOf(last), 'when all is well').toEqual({ ttl: 60, unready: [] });

    const text = header + yamlOf([RunFunctionResponse.toJSON(first) as object, changes(first, last)]);
    const golden = join(import.meta.dirname, `${name}.yaml`);
    if (process.env.UPDATE) writeFileSync(golden, text);
    expect(text, 'rewrite it with `make golden`, if this is what you want').toBe(readFileSync(golden, 'utf8'));
  });
});

test('there is no golden file without an example', () => {
  const goldens = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.yaml'));
  expect(goldens).toEqual(Object.keys(examples).map((name) => `${name}.yaml`));
});

function readinessOf({ meta, desired, conditions }: RunFunctionResponse): { ttl?: number; unready: string[] } {
  const unready = [
    ...Object.entries(desired?.resources ?? {}).flatMap(([key, { ready }]) =>
      ready === Ready.READY_TRUE ? [] : [key],
    ),
    ...conditions.flatMap(({ type, status }) => (status === Status.STATUS_CONDITION_TRUE ? [] : [type])),
    ...(desired?.composite?.ready === Ready.READY_FALSE ? ['the composite'] : []),
  ];
  return { ttl: meta?.ttl?.seconds, unready };
}

/** The later response, without the resources that are as they were: of those only the readiness. */
function changes(first: RunFunctionResponse, last: RunFunctionResponse): object {
  const before = first.desired?.resources ?? {};
  const after = Object.entries(last.desired?.resources ?? {}).map(([key, value]) => {
    const same = isDeepStrictEqual(value.resource, before[key]?.resource);
    return [key, same ? { ...value, resource: undefined } : value];
  });
  return RunFunctionResponse.toJSON({
    ...last,
    desired: { composite: last.desired?.composite, resources: Object.fromEntries(after) },
  }) as object;
}
