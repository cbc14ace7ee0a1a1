/** Contexts in which a desired record is checked. */
import type { EvaluationContext } from '../../../functions/agent/discovery/evaluation.ts';
import type { NameContext } from '../../../functions/agent/discovery/name-context.ts';
import { nameRestrictions } from '../../../functions/agent/discovery/tenancy.ts';
import { noSources } from '../../../functions/agent/sources/source-object.ts';
import { discoverable } from '../../../functions/contract/declaration.ts';
import type { DiscoveryChanges } from '../../contract/declared.ts';
import { declare } from '../make.ts';

export type Settings = DiscoveryChanges;

/** A name in a declared zone, at which nothing is published. */
export const emptyNameIn = (zone: string, more: Partial<NameContext> = {}): NameContext => ({
  zone,
  answeringZone: zone,
  declaredZones: new Map([[zone, zone]]),
  nameServers: new Set([`ns1.${zone}`]),
  cut: undefined,
  existing: [],
  current: [],
  names: new Map(),
  ...more,
});

/** Discovery of all types. */
export function contextWith(settings: Settings = {}, more: Partial<EvaluationContext> = {}): EvaluationContext {
  const { discovery } = declare({
    discovery: { ownerID: 'corp', intervalSeconds: 2, recordTypes: [...discoverable], ...settings },
  });
  if (!discovery) throw new Error('no discovery is declared');
  const { lister = noSources } = more;
  return {
    discovery,
    owns: ({ mark }) => mark?.account === 'external-dns/corp',
    rejections: new Map(),
    lister,
    restrictions: nameRestrictions(discovery, lister),
    accepted: new Map(),
    ...more,
  };
}
