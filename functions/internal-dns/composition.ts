import { App, Chart } from 'cdk8s';
import type { Composition, KubernetesObject, Observed, Rendering, Required } from '../cdk8s-function-xp/composition.ts';
import type { Report } from '../contract/report.ts';
import { Admission } from './admission/admission.ts';
import { AgentConfigMaps, type DeclarationInput, declarationOf, textOf } from './declaration-writer.ts';
import { letGoOf } from './discovery/delete-guard.ts';
import { missingIn, servedOf, watchedByExternalDNS } from './discovery/served.ts';
import { instanceOf } from './instance.ts';
import { presentIn, servedIn } from './monitoring/kind.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { currentOf, reportsOf } from './reports.ts';
import { LingeringResolver, Resolver } from './resolver/resolver.ts';
import { hadResolver } from './resolver/status.ts';
import { podsKey, serversOf, switchOverOf } from './resolver/switch-over.ts';
import { viewSelectors, viewServersOf } from './resolver/views.ts';
import { type Restrictions, restrict, unrestricted } from './restrictions.ts';
import { Access } from './server/access.ts';
import { waysInOf } from './server/address-status.ts';
import { featuresOf } from './server/powerdns.ts';
import { Server } from './server/server.ts';
import { endpointsOf, replicasOf, Services, unawaitedKeys } from './server/service.ts';
import { isStarting, storageClasses } from './server/storage-class.ts';
import { parseSpec } from './spec.ts';
import { conditionTypes, statusOf } from './status.ts';
import { Keys, keepsKeys } from './zones/keys.ts';
import { withNameServers } from './zones/name-servers.ts';
import { recordsOf } from './zones/records.ts';
import { signaturesBefore, signaturesIn } from './zones/signature.ts';

/** The composition of an InternalDNS. */
export const internalDNS: Composition = internalDNSUnder(unrestricted);

/** The composition under the restrictions of the function's administrator. */
export function internalDNSUnder(restrictions: Restrictions, now = () => new Date()): Composition {
  return {
    conditionTypes,
    render: (composite, observed, required) => render({ composite, observed, required, restrictions, now }),
  };
}

interface Input {
  composite: KubernetesObject;
  observed: Observed;
  required: Required;
  restrictions: Restrictions;
  now: () => Date;
}

function render({ composite, observed, required, restrictions, now }: Input): Rendering {
  const spec = withNameServers(restrict(parseSpec(composite), restrictions));
  const { name, annotations } = composite.metadata;
  const instance = instanceOf(name, spec);
  const { names } = instance;

  const pods = observed['server/pods'];
  const switchOver = switchOverOf(spec, composite, observed, now());
  const viewServers = viewServersOf(spec, required);
  const servers = serversOf(spec.replicas, observed, viewServers);
  const reports = reportsOf(names.pods, observed['mailboxes/status']);
  const endpoints = endpointsOf(spec, names, observed, reports);
  const records = recordsOf(name, spec, endpoints.advertised.serverAddresses);
  const sources = watchedByExternalDNS(servedOf(spec.discovery.sources, missingIn(reports)));
  const hasKeys = keepsKeys(spec, observed['keys/dnssec']);
  const declared = declare(
    {
      composite: name,
      spec,
      endpoints,
      records,
      letGo: letGoOf(annotations),
      agentService: switchOver.agents,
      servers,
    },
    signaturesBefore(composite.status, spec),
    reports,
  );

  const chart = new Chart(new App(), name);
  const waysIn = waysInOf(endpoints, spec, switchOver.leads);
  new AgentConfigMaps(chart, 'mailboxes', { ...instance, declarationText: declared.declarationText, waysIn });
  new Access(chart, 'access', {
    ...instance,
    hasKeys,
    roleExists: 'access/role' in observed,
    isBehindResolver: switchOver.closes,
  });
  if (hasKeys) new Keys(chart, 'keys', instance);
  new Server(chart, 'server', { ...instance, sources, features: featuresOf(spec), observed: pods });
  const replicas = replicasOf(spec, endpoints, observed, switchOver.needsBackends);
  new Services(chart, 'services', { ...instance, replicas, toResolver: switchOver.leads });
  if (spec.resolver) {
    new Resolver(chart, 'resolver', { ...instance, resolver: spec.resolver, servers });
  } else if (switchOver.lingers) new LingeringResolver(chart, 'resolver', observed);
  new Admission(chart, 'admission', instance);
  const kinds = [...new Set([...servedIn(reports), ...presentIn(Object.values(observed))])];
  new Monitoring(chart, 'monitoring', { ...instance, kinds });

  const starting = isStarting(spec, pods, reports);
  // Crossplane also sends what the previous reconcile required, even if it does not matter any more:
  // https://github.com/crossplane/crossplane/blob/v2.4.0/internal/controller/apiextensions/composite/composition_functions.go#L429
  const classes = starting ? required.storageClasses : undefined;
  return {
    chart,
    // Whether own names resolve, through whichever pod of the resolver, is what the self-test tells.
    unawaited: [...unawaitedKeys(spec), podsKey],
    ttl: switchOver.settlesIn,
    requires: { ...(starting && { storageClasses }), ...viewSelectors(spec) },
    ...statusOf({
      ...{ spec, names, endpoints, ...declared, pods, reports, classes },
      ...{ switchOver, viewServers, hadResolver: hadResolver(composite) },
    }),
  };
}

/**
 * The declaration lists the DS records of signed zones, so that an agent that has lost a key does not generate a new
 * one. They are in the status or, for a newly signed zone, in the agents' reports. As a report counts only if it is on
 * the current declaration, whose hash is the same with and without them, the declaration is written twice: without the
 * new DS records to find those reports, then with them.
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
  const current = currentOf(reports, first.declarationText);
  const signatures = new Map([...signaturesIn(current, input.spec), ...before]);
  return { ...(signatures.size === before.size ? first : write(signatures)), current };
}
