import { App, Chart } from 'cdk8s';
import type { Composition, KubernetesObject, Observed, Rendering } from '../cdk8s-function-xp/composition.ts';
import type { Report } from '../contract/report.ts';
import { Admission } from './admission/admission.ts';
import { AgentConfigMaps, type DeclarationInput, declarationOf, textOf } from './declaration-writer.ts';
import { letGoOf } from './discovery/delete-guard.ts';
import { missingIn, servedOf } from './discovery/served.ts';
import { instanceOf } from './instance.ts';
import { presentIn, servedIn } from './monitoring/kind.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { currentOf, reportsOf } from './reports.ts';
import { type Restrictions, restrict, unrestricted } from './restrictions.ts';
import { Access } from './server/access.ts';
import { featuresOf } from './server/powerdns.ts';
import { Server } from './server/server.ts';
import { endpointOf, Services } from './server/service.ts';
import { parseSpec } from './spec.ts';
import { conditionTypes, statusOf } from './status.ts';
import { Keys, keepsKeys } from './zones/keys.ts';
import { recordsOf } from './zones/records.ts';
import { signaturesBefore, signaturesIn } from './zones/signature.ts';

/** The composition of an InternalDNS. */
export const internalDNS: Composition = internalDNSUnder(unrestricted);

/** The composition under the restrictions of the function's administrator. */
export function internalDNSUnder(restrictions: Restrictions): Composition {
  return { conditionTypes, render: (composite, observed) => render(composite, observed, restrictions) };
}

function render(composite: KubernetesObject, observed: Observed, restrictions: Restrictions): Rendering {
  const spec = restrict(parseSpec(composite), restrictions);
  const { name, annotations } = composite.metadata;
  const instance = instanceOf(name, spec);
  const { names } = instance;

  const pods = observed['server/pods'];
  const endpoint = endpointOf(spec, observed['services/dns']);
  const reports = reportsOf(names.pods, observed['mailboxes/status']);
  const sources = servedOf(spec.discovery.sources, missingIn(reports));
  const hasKeys = keepsKeys(spec, observed['keys/dnssec']);
  const declared = declare(
    { composite: name, spec, endpoint, records: recordsOf(name, spec, endpoint), letGo: letGoOf(annotations) },
    signaturesBefore(composite.status, spec),
    reports,
  );

  const chart = new Chart(new App(), name);
  new AgentConfigMaps(chart, 'mailboxes', { ...instance, declarationText: declared.declarationText });
  new Access(chart, 'access', { ...instance, hasKeys, roleExists: 'access/role' in observed });
  if (hasKeys) new Keys(chart, 'keys', instance);
  new Server(chart, 'server', { ...instance, sources, features: featuresOf(spec), observed: pods });
  new Services(chart, 'services', instance);
  new Admission(chart, 'admission', instance);
  const kinds = [...new Set([...servedIn(reports), ...presentIn(Object.values(observed))])];
  new Monitoring(chart, 'monitoring', { ...instance, kinds });

  return { chart, ...statusOf({ spec, names, endpoint, ...declared, pods, reports }) };
}

/**
 * The declaration lists the DS records of signed zones, so that an agent that has lost a key does not generate a new
 * one. They are in the status or, for a newly signed zone, in the agents' reports. As a report counts only if it is on
 * the current declaration, the declaration is written twice: without the new DS records to find those reports, then
 * with them.
 */
function declare(
  input: Omit<DeclarationInput, 'signatures'>,
  before: DeclarationInput['signatures'],
  reports: (Report | undefined)[],
) {
  const write = (signatures: DeclarationInput['signatures']) => {
    const declaration = declarationOf({ ...input, signatures });
    return { declaration, declarationText: textOf(declaration), signatures };
  };
  const first = write(before);
  const reported = signaturesIn(currentOf(reports, first.declarationText), input.spec);
  const signatures = new Map([...reported, ...before]);
  return signatures.size === before.size ? first : write(signatures);
}
