import type { Spec } from '../spec.ts';
import { checkedSources, isOf, type Kind, ownAnnotation } from './kind.ts';

type Discovery = Spec['discovery'];

/**
 * CEL: the hosts that ExternalDNS v0.23 would read from an object, in lower case, each with a leading and without a
 * trailing dot, so that it ends with `.zone` if and only if it is in that zone. Kubernetes 1.30 cannot flatten a list:
 * texts are joined by commas and split again.
 */
export function hostsOf(discovery: Discovery, object: string): string {
  const texts = checkedSources(discovery).reduceRight(
    (others, { kind }) => `${isOf(kind)} ? (${textsOf(discovery, object, kind)}) : ${others}`,
    '[]',
  );
  const plain = `((${texts}).join(",").replace(" ", "").lowerAscii() + ",").replace(".,", ",")`;
  return `${plain}.split(",").filter(h, h != "").map(h, "." + h)`;
}

function textsOf(discovery: Discovery, object: string, { inSpec, inAnnotations, sourceAnnotation }: Kind): string {
  const inForce = inSpec.filter(({ flag }) => !flag || !discovery.extraArgs.includes(flag));
  const inText = inForce.map(({ texts }) => texts(object)).join(' + ');
  const values = inAnnotations.map((name) => `${ownAnnotation(discovery, object, name)}.orValue("").trim()`);
  const annotated = `[${values.join(', ')}]`;
  if (!sourceAnnotation) return inText || annotated;
  const choice = `${ownAnnotation(discovery, object, sourceAnnotation)}.orValue("").lowerAscii()`;
  return [
    ...(inText ? [`(${choice} != "annotation-only" ? ${inText} : [])`] : []),
    ...(discovery.hostnames === 'Spec' ? [] : [`(${choice} != "defined-hosts-only" ? ${annotated} : [])`]),
  ].join(' + ');
}
