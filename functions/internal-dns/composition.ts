import { App, Chart } from 'cdk8s';
import type { Composition, KubernetesObject, Observed, Rendering } from '../cdk8s-function-xp/composition.ts';
import type { Report } from '../contract/report.ts';
import { Admission } from './admission/admission.ts';
import { version } from './build.ts';
import { AgentConfigMaps, type DeclarationInput, declarationOf, textOf } from './declaration-writer.ts';
import { letGoOf } from './discovery/delete-guard.ts';
import { missingIn, servedOf } from './discovery/served.ts';
import { presentIn, servedIn } from './monitoring/kind.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { namesOf, selectorLabels } from './names.ts';
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

/** What an InternalDNS is. */
export const internalDNS: Composition = internalDNSUnder(unrestricted);

/** What it is where the function's administrator leaves less to those who make one. */
export function internalDNSUnder(restrictions: Restrictions): Composition {
  return { conditionTypes, render: (composite, observed) => render(composite, observed, restrictions) };
}

function render(composite: KubernetesObject, observed: Observed, restrictions: Restrictions): Rendering {
  const spec = restrict(parseSpec(composite), restrictions);
  const { name } = composite.metadata;
  const names = namesOf(name, spec.replicas);
  const labels = {
    ...selectorLabels(name),
    'app.kubernetes.io/version': version,
    'app.kubernetes.io/managed-by': 'internal-dns-xp',
  };
  const observedAs = (kind: string, objectName: string) =>
    Object.values(observed).find((o) => o.kind === kind && o.metadata.name === objectName);

  const pods = observedAs('StatefulSet', names.server);
  const endpoint = endpointOf(spec, observedAs('Service', names.server));
  const reports = reportsOf(names.pods, observedAs('ConfigMap', names.status));
  const sources = servedOf(spec.discovery.sources, missingIn(reports));
  const letGo = letGoOf(composite.metadata.annotations);
  const declarable = { composite: name, spec, endpoint, records: recordsOf(name, spec, endpoint), letGo };
  const { declared, declaration, signatures } = declare(declarable, composite.status, reports);
  const hasKeys = keepsKeys(spec, observedAs('Secret', names.dnssec));

  const chart = new Chart(new App(), name);
  new AgentConfigMaps(chart, 'mailboxes', { spec, names, labels, declaration });
  new Access(chart, 'access', { spec, names, labels, hasKeys, roleExists: !!observedAs('Role', names.server) });
  if (hasKeys) new Keys(chart, 'keys', { spec, names, labels });
  new Server(chart, 'server', { spec, names, labels, sources, features: featuresOf(spec), observed: pods });
  new Services(chart, 'services', { spec, names, labels });
  new Admission(chart, 'admission', { spec, names, labels });
  const kinds = [...new Set([...servedIn(reports), ...presentIn(Object.values(observed))])];
  new Monitoring(chart, 'monitoring', { spec, names, labels, kinds });

  return { chart, ...statusOf({ spec, names, endpoint, declared, declaration, signatures, pods, reports }) };
}

/**
 * The declaration says with what zones are signed, so that an agent that has lost a key makes no other. That is known
 * from the status and, until it is there, from what the agents report of this declaration.
 */
function declare(declarable: Omit<DeclarationInput, 'signatures'>, status: unknown, reports: (Report | undefined)[]) {
  const before = signaturesBefore(status, declarable.spec);
  const first = declarationOf({ ...declarable, signatures: before });
  const text = textOf(first);
  const signatures = new Map([...signaturesIn(currentOf(reports, text), declarable.spec), ...before]);
  if (signatures.size === before.size) return { declared: first, declaration: text, signatures };
  const declared = declarationOf({ ...declarable, signatures });
  return { declared, declaration: textOf(declared), signatures };
}
