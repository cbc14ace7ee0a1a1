import { BlockList, isIP, isIPv6 } from 'node:net';
import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { DesiredRecord } from './desired-record.ts';

export interface Networks {
  /** The record with the addresses that may be published. Other types are not limited. */
  within(desired: DesiredRecord): DesiredRecord;
}

/** The networks of `discovery.targets`; undefined if none are set. */
export function networksOf({ networks, excludedNetworks }: DeclaredDiscovery['targets']): Networks | undefined {
  if (networks.length === 0 && excludedNetworks.length === 0) return undefined;
  const [included, excluded] = [blockListOf(networks), blockListOf(excludedNetworks)];
  const whyNot = (address: string): string | undefined => {
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (excluded.check(address, family)) return 'in discovery.targets.excludedNetworks';
    return networks.length > 0 && !included.check(address, family) ? 'outside discovery.targets.networks' : undefined;
  };
  return {
    within(desired) {
      if (desired.type !== 'A' && desired.type !== 'AAAA') return desired;
      // An invalid address is found by the checks.
      const kept = desired.records.filter((address) => isIP(address) === 0 || whyNot(address) === undefined);
      if (kept.length === desired.records.length) return desired;
      if (kept.length > 0) return { ...desired, records: kept };
      const [first = '', ...others] = desired.records;
      const rest = others.length === 0 ? '' : ', and none of the others may be published';
      return { ...desired, records: [], isFiltered: true, fault: `${first} is ${whyNot(first)}${rest}` };
    },
  };
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}
