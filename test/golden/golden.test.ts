import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ready, type RunFunctionResponse, Status } from '@crossplane-org/function-sdk-typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject, Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { makeCertificates } from '../cdk8s-function-xp/certificates.ts';
import { type FunctionClient, makeClient, requestFor } from '../cdk8s-function-xp/client.ts';
import { examples } from '../examples.ts';
import { type RunningFunction, startFunction } from '../function.ts';
import { readComposite } from '../render.ts';
import { type Answers, answerIn, answersFrom, differenceText, namesOf, wholeText } from './answers.ts';
import { running } from './cluster.ts';

// As Crossplane calls it: a separate process, mutual TLS, and the composite with the defaults of the definition.
const certificatesFolder = mkdtempSync(join(tmpdir(), 'golden-'));
let served: RunningFunction;
let client: FunctionClient;
let minimal: Answers;
beforeAll(async () => {
  const certificates = makeCertificates(certificatesFolder);
  served = await startFunction({ certificates: certificatesFolder });
  client = makeClient({ address: served.address, certificates });
  minimal = await answersTo(readComposite(examples.minimal!));
});
afterAll(async () => {
  client?.close();
  await served?.stop();
  rmSync(certificatesFolder, { recursive: true });
});

/** The composite with the status that a response gives it, and a constant time. */
function after(composite: KubernetesObject, { desired }: RunFunctionResponse): KubernetesObject {
  const { resolver, ...status } = desired?.composite?.resource?.status ?? {};
  return {
    ...composite,
    status: { ...status, ...(resolver && { resolver: { ...resolver, since: '2026-01-31T12:00:00Z' } }) },
  };
}

const ask = (composite: KubernetesObject, observed?: Observed) => client.run(requestFor(composite, observed));

test('every example has a name of its own, so that all can be applied to one cluster', () => {
  const names = Object.values(examples).map((file) => readComposite(file).metadata.name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

async function answersTo(composite: KubernetesObject): Promise<Answers> {
  const first = await ask(composite);
  let last = first;
  // The answer changes once the Role and the Service's address exist, and once the keys of signed zones do; and once a
  // resolver exists, once it is ready, and once the Services lead to it.
  for (let again = 0; again < 4; again++) last = await ask(after(composite, last), running(composite, last));
  expect(readinessOf(last), 'when all objects are ready').toEqual({ ttl: 60, unready: [] });
  return { names: namesOf(composite), first: answerIn(first), later: answerIn(last) };
}

describe.for(Object.entries(examples))('example %s', ([name, file]) => {
  test('gets exactly the responses in its golden file', async () => {
    const answers = await answersTo(readComposite(file));
    const text = name === 'minimal' ? wholeText(answers) : differenceText(answers, minimal);
    const golden = join(import.meta.dirname, `${name}.yaml`);
    if (process.env.UPDATE) writeFileSync(golden, text);
    expect(text, 'run `make golden` if this is intended').toBe(readFileSync(golden, 'utf8'));
    if (name !== 'minimal') expect(answersFrom(text, minimal), 'read back').toEqual(answers);
  });
});

test('every golden file has an example', () => {
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
