import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import { expect, test } from 'vitest';
import type { Observed } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import type { Report } from '../../functions/contract/report.ts';
import { internalDNS } from '../../functions/internal-dns/composition.ts';
import { requestFor } from '../cdk8s-function-xp/client.ts';
import { defaulted, yamlOf } from '../crossplane.ts';
import { internalDNSOf } from '../internal-dns/refusals.ts';
import { running } from './cluster.ts';

const at = (name: string) => `${name}.corp.internal`;

/** What agents report while all else is well. */
const cases: Record<string, Partial<Report>> = {
  'names-that-do-not-resolve': {
    names: {
      total: 40,
      resolved: 36,
      problems: [
        {
          name: at('pay'),
          resource: 'ingress/shop/pay',
          verdict: 'NoAddress',
          message: 'its controller has written no address into the status',
        },
        {
          name: at('search'),
          resource: 'httproute/search/web',
          verdict: 'Duplicate',
          message: 'ingress/shop/search has the name, as it asked first',
        },
        {
          name: at('mail'),
          resource: 'service/post/mail',
          verdict: 'DeclaredElsewhere',
          message: 'a record of the spec has the name',
        },
        {
          name: at('<script>alert(1)</script>'),
          resource: 'dnsendpoint/web/odd',
          verdict: 'Refused',
          message: 'not a host name (RFC 1123)',
        },
        {
          name: 'www.example.com',
          resource: 'ingress/shop/www',
          verdict: 'OutsideZones',
          message: 'no zone has the name; the nearest is corp.internal',
        },
      ],
    },
  },
  'not-answering': {
    resolution: {
      state: 'NotAnswering',
      since: '2026-01-31T12:00:30Z',
      message: 'PowerDNS does not answer; see the log of the container powerdns',
    },
  },
};

/** What is said of the composite when its agents report this. */
function answerTo(said: Partial<Report>): object {
  const composite = defaulted(internalDNSOf({ zones: [{ name: 'corp.internal' }], replicas: 2 }));
  const ask = (observed: Observed = {}) => run(requestFor(composite, observed), internalDNS);
  let last = ask();
  // The declaration changes once the Service has addresses.
  for (let again = 0; again < 2; again++) last = ask(running(composite, last, said));
  const { meta, conditions, desired } = RunFunctionResponse.toJSON(last) as {
    [part: string]: { composite: { resource: object } };
  };
  return { meta, conditions, composite: desired?.composite };
}

const folder = join(import.meta.dirname, 'reports');
const header =
  '# What the agents’ reports come to: see reports.test.ts. Written by `make golden`: review the difference.\n';

test.for(Object.entries(cases))('%s gives what is in its golden file', ([name, said]) => {
  const text = header + yamlOf([answerTo(said)]);
  const golden = join(folder, `${name}.yaml`);
  if (process.env.UPDATE) writeFileSync(golden, text);
  expect(text, 'rewrite it with `make golden`, if this is what you want').toBe(readFileSync(golden, 'utf8'));
});
