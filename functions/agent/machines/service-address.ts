import type { Declaration } from '../../contract/declaration.ts';
import { inNetworks } from '../lib/networks.ts';
import type { Inventory } from '../sources/own-object.ts';

/** Whether an address is one of a Service. Nobody may have these checked: behind them is what only pods can reach. */
export type ServiceTest = (address: string) => boolean;

/** Undefined while the ranges of Services cannot be read. Where the cluster tells none, the DNS Service is still known. */
export const serviceTest = (
  { service }: Pick<Declaration, 'service'>,
  { serviceRanges }: Pick<Inventory, 'serviceRanges'>,
): ServiceTest | undefined => serviceRanges && inNetworks([...service, ...serviceRanges]);

/** Why nothing is checked meanwhile. */
export const unknownRanges =
  'the address ranges of Services, which are never checked, cannot be read yet: if it stays so, apply configuration/sources.yaml of this version';
