import type { LabelSelector } from '../../agent/declaration.ts';
import { annotation, isOf, judged, literal, ownAnnotation, type Sight, type Source } from './kind.ts';

/** What is judged: everything that is made or changed of the kinds that count. */
export const resourceRules = (sight: Sight) =>
  judged(sight).map(({ kind: { group, resource } }) => ({
    apiGroups: [group],
    // The Gateway API serves several, alike in all that is read here.
    apiVersions: ['*'],
    operations: ['CREATE', 'UPDATE'],
    resources: [resource],
  }));

/** Which of these objects ExternalDNS looks at, beyond what selectors of Kubernetes can say. */
export function matchConditions(sight: Sight): { name: string; expression: string }[] {
  const filters = judged(sight).flatMap(({ kind, source }) =>
    filterOf(source).map((filter) => `(${isOf(kind)} ? ${filter} : true)`),
  );
  const selected = annotationFilters(sight.annotationSelector);
  return [
    // What is on its way out must be able to lose its finalizers.
    { name: 'stays', expression: '!has(object.metadata.deletionTimestamp)' },
    {
      name: 'for-external-dns',
      expression: `${ownAnnotation(sight, 'object', 'controller')}.orValue("dns-controller") == "dns-controller"`,
    },
    ...(filters.length > 0 ? [{ name: 'in-a-source', expression: filters.join(' && ') }] : []),
    ...(selected.length > 0 ? [{ name: 'annotated', expression: selected.join(' && ') }] : []),
  ];
}

function filterOf({ kind, ingressClassNames = [], serviceTypes, gatewayName, gatewayNamespace }: Source): string[] {
  if (kind === 'Ingress' && ingressClassNames.length > 0) {
    const named = 'object.spec.?ingressClassName.orValue("")';
    const annotated = `${annotation('object', 'kubernetes.io/ingress.class')}.orValue("")`;
    return [`(${named} != "" ? ${named} : ${annotated}) in ${literal(ingressClassNames)}`];
  }
  if (kind === 'Service') return [`object.spec.type in ${literal(serviceTypes ?? ['LoadBalancer'])}`];
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
