import { matchesSelector } from '../../contract/label-selector.ts';
import type { Labels } from '../kubernetes/object.ts';
import { byAge } from '../sources/age.ts';
import type { Machine, NameClaim } from '../sources/own-object.ts';
import type { MachineIndex } from './machine-index.ts';
import type { TenantRights } from './tenant-rights.ts';

/** What the members of a claim depend on besides the claim. */
export interface MemberContext {
  index: MachineIndex;
  rights: TenantRights;
  /** The labels of a namespace; undefined while unknown. */
  labelsOf: (namespace: string) => Labels | undefined;
}

/** Returns the Machines that a claim has as members, the oldest first, and how many it selects without a right to. */
export function membersOf(claim: NameClaim, context: MemberContext): { machines: Machine[]; forbidden: number } {
  const { selector } = claim.spec;
  if (!selector) return { machines: [], forbidden: 0 };
  const machines: Machine[] = [];
  let forbidden = 0;
  for (const namespace of namespacesOf(claim, context)) {
    const selected = context.index.select(namespace, selector);
    if (context.rights.maySelect(claim.namespace, namespace)) machines.push(...selected);
    else forbidden += selected.length;
  }
  return { machines: machines.sort(byAge), forbidden };
}

function namespacesOf({ namespace, spec }: NameClaim, { index, labelsOf }: MemberContext): Iterable<string> {
  const { namespaceSelector } = spec;
  if (!namespaceSelector) return [namespace];
  return [...index.namespaces()].filter((each) => {
    const labels = labelsOf(each);
    return labels !== undefined && matchesSelector(namespaceSelector, labels);
  });
}
