import { BlockList, isIPv6 } from 'node:net';

/** The number of bits of a network's prefix. */
export const prefixOf = (network: string): number => Number(network.split('/')[1]);

/** Whether every address of a network is also one of another, which can be the same. */
export function isWithin(inner: string, outer: string): boolean {
  const [address = '', outerAddress = ''] = [inner, outer].map((network) => network.split('/')[0]);
  const [family, outerFamily] = [address, outerAddress].map((each) => (isIPv6(each) ? 'ipv6' : 'ipv4'));
  if (family !== outerFamily || prefixOf(inner) < prefixOf(outer)) return false;
  const list = new BlockList();
  list.addSubnet(outerAddress, prefixOf(outer), family);
  return list.check(address, family);
}
