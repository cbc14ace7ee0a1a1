import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { mostHosts, mostTargets } from '../../contract/declaration.ts';
import { isDNSEndpoint } from '../../contract/host-rules.ts';
import { zonesOfTeams } from '../discovery/tenants.ts';
import type { Instance } from '../instance.ts';
import type { Spec } from '../spec.ts';
import { type CELCheck, illegal, inZone, isListable, outside, taken } from './cel-check.ts';
import { hostsOf } from './hosts.ts';
import { checkedSources, literal, ownAnnotation } from './kind.ts';
import { matchConditions, resourceRules } from './scope.ts';

// v1 needs Kubernetes 1.30, and cdk8s-plus-28 has only v1beta1.
const apiVersion = 'admissionregistration.k8s.io/v1';

/**
 * Rejects at `kubectl apply` what the agent would reject afterwards. Only hosts that a change adds are checked, so that
 * an existing object can still be edited and deleted.
 */
export class Admission extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels }: Instance) {
    super(scope, id);
    const { zones, discovery } = spec;
    const { enabled } = discovery.admission;
    if (!enabled || checkedSources(discovery).length === 0) return;
    // Which of the teams' zones there are, no policy can know.
    const outsideZones = isListable(zonesOfTeams(discovery)) ? discovery.admission.outsideZones : 'Allow';
    const outsider = outside(zones, names.composite);
    const checks = [...illegal, ...taken(zones, discovery.reservedNames)];
    const add = (part: string, of: CELCheck[], validationActions: string[], more: object[] = []) => {
      // Not `names.cluster`: the names of these kinds are DNS subdomains, without a colon.
      const metadata = { name: `${names.server}-${part}`, labels };
      const policy = { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata, spec: policyOf(spec, of, more) };
      const binding = { policyName: metadata.name, validationActions };
      new ApiObject(this, part, policy);
      new ApiObject(this, `${part}-binding`, { ...policy, kind: `${policy.kind}Binding`, spec: binding });
    };
    add('hosts', outsideZones === 'Deny' ? [...checks, outsider] : checks, ['Deny'], bounded(discovery));
    // A binding's actions apply to all validations of its policy, so warnings need a policy of their own.
    if (outsideZones === 'Warn') add('zones', [outsider], ['Warn', 'Audit']);
  }
}

function policyOf({ zones, discovery }: Spec, checks: CELCheck[], more: object[]) {
  const { namespaces, selector, excludedDomains } = discovery;
  const ofTeams = zonesOfTeams(discovery);
  const listed = [...zones.map(({ name }) => name), ...(isListable(ofTeams) ? ofTeams : [])];
  const inNamespaces = { key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces };
  return {
    // DNS must not block deployments: what CEL cannot evaluate within its limits is left to the agent, which checks
    // everything again.
    failurePolicy: 'Ignore',
    matchConstraints: {
      resourceRules: resourceRules(discovery),
      ...(namespaces.length > 0 && { namespaceSelector: { matchExpressions: [inNamespaces] } }),
      ...(selector && { objectSelector: selector }),
    },
    matchConditions: matchConditions(discovery),
    variables: [
      { name: 'zones', expression: literal(listed.map((name) => `.${name}`)) },
      { name: 'hosts', expression: hostsOf(discovery, 'object') },
      { name: 'before', expression: `oldObject == null ? [] : ${hostsOf(discovery, 'oldObject')}` },
      { name: 'inside', expression: `variables.hosts.filter(h, ${inside(excludedDomains)})` },
      ...checks.map(({ name, of, cel }) => ({
        name,
        expression: `variables.${of}.filter(h, (${cel}) && !(h in variables.before))`,
      })),
    ],
    validations: [
      ...more,
      ...checks.map(({ name, message }) => ({
        expression: `size(variables.${name}) == 0`,
        messageExpression: `"cannot publish " + ${shown(`variables.${name}`)} + ${literal(`: ${message}`)}`,
        // For a name with a line break, which a messageExpression must not contain.
        message: `cannot publish a name: ${message}`,
      })),
    ],
  };
}

const maxTargetLength = 1024;

/**
 * ExternalDNS repeats the annotation for every host of the object: many hosts with many targets exhaust its memory. The
 * agent has the same limits.
 */
function bounded(discovery: Spec['discovery']) {
  const target = (object: string) => `${ownAnnotation(discovery, object, 'target')}.orValue("")`;
  const unchanged = `(oldObject != null && ${target('object')} == ${target('oldObject')})`;
  const fewTargets = `object.spec.?endpoints.orValue([]).all(e, size(e.?targets.orValue([])) <= ${mostTargets})`;
  return [
    {
      expression: `size(${target('object')}) <= ${maxTargetLength} || ${unchanged}`,
      message: `the annotation target has more than ${maxTargetLength} characters, and each host of the object would get all of it: split the object`,
    },
    {
      expression: `size(${target('object')}) > ${maxTargetLength} || size(${target('object')}.split(",")) <= ${mostTargets} || ${unchanged}`,
      message: `the annotation target has more than ${mostTargets} targets, the maximum of a host: split them over more hosts`,
    },
    {
      expression: `size(variables.hosts) <= ${mostHosts} || size(variables.hosts) <= size(variables.before)`,
      message: `the object requests more than ${mostHosts} names: split it`,
    },
    ...(checkedSources(discovery).some(({ source }) => source.kind === 'DNSEndpoint')
      ? [
          {
            expression: `!(${isDNSEndpoint}) || ${fewTargets} || (oldObject != null && object.spec == oldObject.spec)`,
            message: `an endpoint has more than ${mostTargets} targets: split them over more hosts`,
          },
        ]
      : []),
  ];
}

function inside(excludedDomains: readonly string[]): string {
  if (excludedDomains.length === 0) return inZone;
  const domains = excludedDomains.map((domain) => `.${domain}`);
  return `${inZone} && !${literal(domains)}.exists(d, h.endsWith(d))`;
}

/** CEL: the first of a list of hosts, truncated to fit into a message. */
const shown = (list: string) =>
  `(size(${list}[0]) > 100 ? ${list}[0].substring(1, 100) + "..." : ${list}[0].substring(1)) + (${list}.exists(h, h != ${list}[0]) ? " and others" : "")`;
