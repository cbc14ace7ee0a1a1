import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { mostHosts, mostTargets } from '../../contract/declaration.ts';
import type { Instance } from '../instance.ts';
import type { Spec } from '../spec.ts';
import { type CELCheck, illegal, inZone, outside, taken } from './cel-check.ts';
import { hostsOf } from './hosts.ts';
import { isDNSEndpoint, judged, literal, ownAnnotation } from './kind.ts';
import { matchConditions, resourceRules } from './scope.ts';

// v1 needs Kubernetes 1.30, and cdk8s-plus-28 has only v1beta1.
const apiVersion = 'admissionregistration.k8s.io/v1';

/**
 * Says at `kubectl apply` what the agent would otherwise say afterwards. Only names that a change adds are judged, so
 * an object that was there before can still be edited and deleted.
 */
export class Admission extends Construct {
  constructor(scope: Construct, id: string, { spec, names, labels }: Instance) {
    super(scope, id);
    const { zones, discovery } = spec;
    const { enabled, outsideZones } = discovery.admission;
    if (!enabled || judged(discovery).length === 0) return;
    const outsider = outside(zones, names.composite);
    const wrong = [...illegal, ...taken(zones, discovery.reservedNames)];
    const add = (part: string, faults: CELCheck[], validationActions: string[], more: object[] = []) => {
      // Not `names.cluster`: the names of these kinds are DNS subdomains, without a colon.
      const metadata = { name: `${names.server}-${part}`, labels };
      const policy = { apiVersion, kind: 'ValidatingAdmissionPolicy', metadata, spec: policyOf(spec, faults, more) };
      const binding = { policyName: metadata.name, validationActions };
      new ApiObject(this, part, policy);
      new ApiObject(this, `${part}-binding`, { ...policy, kind: `${policy.kind}Binding`, spec: binding });
    };
    add('hosts', outsideZones === 'Deny' ? [...wrong, outsider] : wrong, ['Deny'], bounded(discovery));
    // What follows from a validation is the binding's to say, and one for all validations of its policy.
    if (outsideZones === 'Warn') add('zones', [outsider], ['Warn', 'Audit']);
  }
}

function policyOf({ zones, discovery }: Spec, faults: CELCheck[], more: object[]) {
  const { namespaces, selector, excludedDomains } = discovery;
  const isHere = { key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces };
  return {
    // DNS stops no deployment: what CEL cannot finish within its limits the agent judges, as it judges everything again.
    failurePolicy: 'Ignore',
    matchConstraints: {
      resourceRules: resourceRules(discovery),
      ...(namespaces.length > 0 && { namespaceSelector: { matchExpressions: [isHere] } }),
      ...(selector && { objectSelector: selector }),
    },
    matchConditions: matchConditions(discovery),
    variables: [
      { name: 'zones', expression: literal(zones.map(({ name }) => `.${name}`)) },
      { name: 'hosts', expression: hostsOf(discovery, 'object') },
      { name: 'before', expression: `oldObject == null ? [] : ${hostsOf(discovery, 'oldObject')}` },
      { name: 'inside', expression: `variables.hosts.filter(h, ${inside(excludedDomains)})` },
      ...faults.map(({ name, of, holds }) => ({
        name,
        expression: `variables.${of}.filter(h, (${holds}) && !(h in variables.before))`,
      })),
    ],
    validations: [
      ...more,
      ...faults.map(({ name, message }) => ({
        expression: `size(variables.${name}) == 0`,
        messageExpression: `"cannot publish " + ${shown(`variables.${name}`)} + ${literal(`: ${message}`)}`,
        // For a name with a line break, which a messageExpression may not have.
        message: `cannot publish a name: ${message}`,
      })),
    ],
  };
}

const longestTarget = 1024;

/**
 * ExternalDNS repeats the annotation for every host of the object: two long ones together exhaust its memory. Of hosts
 * and of targets no more are let in than the agent takes.
 */
function bounded(discovery: Spec['discovery']) {
  const target = (object: string) => `${ownAnnotation(discovery, object, 'target')}.orValue("")`;
  const wasThere = `(oldObject != null && ${target('object')} == ${target('oldObject')})`;
  const fewTargets = `object.spec.?endpoints.orValue([]).all(e, size(e.?targets.orValue([])) <= ${mostTargets})`;
  return [
    {
      expression: `size(${target('object')}) <= ${longestTarget} || ${wasThere}`,
      message: `the annotation target has more than ${longestTarget} characters, and each host of the object would have all of it`,
    },
    {
      expression: `size(${target('object')}) > ${longestTarget} || size(${target('object')}.split(",")) <= ${mostTargets} || ${wasThere}`,
      message: `the annotation target has more than ${mostTargets} targets, and so many may a host have: split them over more hosts`,
    },
    {
      expression: `size(variables.hosts) <= ${mostHosts} || size(variables.hosts) <= size(variables.before)`,
      message: `the object asks for more than ${mostHosts} names: split it`,
    },
    ...(judged(discovery).some(({ source }) => source.kind === 'DNSEndpoint')
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

/** The first of a list of hosts, cut to what a message has room for. */
const shown = (list: string) =>
  `(size(${list}[0]) > 100 ? ${list}[0].substring(1, 100) + "..." : ${list}[0].substring(1)) + (${list}.exists(h, h != ${list}[0]) ? " and others" : "")`;
