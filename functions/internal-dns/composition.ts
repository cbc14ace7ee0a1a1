import { App, Chart } from 'cdk8s';
import type { Composition, KubernetesObject, Observed, Rendering } from '../cdk8s-function-xp/composition.ts';
import { Access } from './access.ts';
import { version } from './build.ts';
import { declarationText, Mailboxes } from './declared.ts';
import { namesOf, selectorLabels } from './names.ts';
import { Server } from './server.ts';
import { endpointOf, Services } from './service.ts';
import { parseSpec } from './spec.ts';
import { assess, conditionTypes } from './status.ts';

/** What an InternalDNS is. */
export const internalDNS: Composition = { conditionTypes, render };

function render(composite: KubernetesObject, observed: Observed): Rendering {
  const spec = parseSpec(composite);
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
  const declaration = declarationText(name, spec, endpoint);

  const chart = new Chart(new App(), name);
  new Mailboxes(chart, 'mailboxes', { spec, names, labels, declaration });
  new Access(chart, 'access', { spec, names, labels, roleExists: !!observedAs('Role', names.server) });
  new Server(chart, 'server', { spec, names, labels, observed: pods });
  new Services(chart, 'services', { spec, names, labels });

  const mailbox = observedAs('ConfigMap', names.status);
  return { chart, ...assess({ spec, names, endpoint, declaration, pods, mailbox }) };
}
