import type { LabelSelector } from '../../contract/label-selector.ts';
import { type SpecSource, serviceTypesOf } from '../discovery/source.ts';
import type { Spec } from '../spec.ts';
import { annotation, checkedSources, isOf, literal, ownAnnotation } from './kind.ts';

type Discovery = Spec['discovery'];

/** Matches every creation and update of the selected kinds. */
export const resourceRules = (discovery: Discovery) =>
  checkedSources(discovery).map(({ kind: { group, plural } }) => ({
    apiGroups: [group],
    // The Gateway API serves several versions, with the same form of all fields that are read here.
    apiVersions: ['*'],
    operations: ['CREATE', 'UPDATE'],
    resources: [plural],
  }));

/** Conditions for the objects that ExternalDNS discovers, where Kubernetes' selectors cannot express them. */
export function matchConditions(discovery: Discovery): { name: string; expression: string }[] {
  const filters = checkedSources(discovery).flatMap(({ kind, source }) =>
    filterOf(source).map((filter) => `(${isOf(kind)} ? ${filter} : true)`),
  );
  const selected = annotationFilters(discovery.annotationSelector);
  return [
    // Finalizers of an object that is being deleted must stay removable.
    { name: 'stays', expression: '!has(object.metadata.deletionTimestamp)' },
    {
      name: 'for-external-dns',
      expression: `${ownAnnotation(discovery, 'object', 'controller')}.orValue("dns-controller") == "dns-controller"`,
    },
    ...(filters.length > 0 ? [{ name: 'in-a-source', expression: filters.join(' && ') }] : []),
    ...(selected.length > 0 ? [{ name: 'annotated', expression: selected.join(' && ') }] : []),
  ];
}

function filterOf(source: SpecSource): string[] {
  const { kind, ingressClassNames = [], gatewayName, gatewayNamespace } = source;
  if (kind === 'Ingress' && ingressClassNames.length > 0) {
    const named = 'object.spec.?ingressClassName.orValue("")';
    const annotated = `${annotation('object', 'kubernetes.io/ingress.class')}.orValue("")`;
    return [`(${named} != "" ? ${named} : ${annotated}) in ${literal(ingressClassNames)}`];
  }
  if (kind === 'Service') return [`object.spec.type in ${literal(serviceTypesOf(source))}`];
  const parent = [
    ...(gatewayName ? [`p.name == ${literal(gatewayName)}`] : []),
    ...(gatewayNamespace ? [`p.?namespace.orValue(request.namespace) == ${literal(gatewayNamespace)}`] : []),
  ];
  return parent.length > 0 ? [`object.spec.?parentRefs.orValue([]).exists(p, ${parent.join(' && ')})`] : [];
}

function annotationFilters({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string[] {
  const equal = Object.entries(matchLabels).map(([key, value]) => isIn(key, [value]));
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'In') return isIn(key, values);
    if (operator === 'NotIn') return `!${isIn(key, values)}`;
    return `${operator === 'Exists' ? '' : '!'}${annotation('object', key)}.hasValue()`;
  });
  return [...equal, ...others];
}

const isIn = (key: string, values: string[]) =>
  `${annotation('object', key)}.optMap(v, v in ${literal(values)}).orValue(false)`;
