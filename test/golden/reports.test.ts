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

/** Reports of the agents in an otherwise healthy cluster. */
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

/** The conditions and status of a composite whose agents report this. */
function answerTo(report: Partial<Report>): object {
  const composite = defaulted(internalDNSOf({ zones: [{ name: 'corp.internal' }], replicas: 2 }));
  const ask = (observed: Observed = {}) => run(requestFor(composite, observed), internalDNS);
  let last = ask();
  // The declaration changes once the Service has addresses, and once those of the replicas have.
  for (let again = 0; again < 3; again++) last = ask(running(composite, last, report));
  const { meta, conditions, desired } = RunFunctionResponse.toJSON(last) as {
    [part: string]: { composite: { resource: object } };
  };
  return { meta, conditions, composite: desired?.composite };
}

const folder = join(import.meta.dirname, 'reports');
const header =
  '# The conditions and status for reports of the agents: see reports.test.ts. Written by `make golden`: review the diff.\n';

test.for(Object.entries(cases))('the answer to %s is the golden file', ([name, report]) => {
  const text = header + yamlOf([answerTo(report)]);
  const golden = join(folder, `${name}.yaml`);
  if (process.env.UPDATE) writeFileSync(golden, text);
  expect(text, 'run `make golden` if this is intended').toBe(readFileSync(golden, 'utf8'));
});
