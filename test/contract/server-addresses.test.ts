import { describe, expect, test } from 'vitest';
import { serverAddressesOf } from '../../functions/contract/server-addresses.ts';

const shared = ['192.0.2.53', '2001:db8::53'];
const [first, second, third] = [['192.0.2.54', '2001:db8::54'], ['192.0.2.55'], ['192.0.2.56']];

const addressesOf = (nameServers: string[], replicaAddresses?: string[][]) =>
  Object.fromEntries(
    serverAddressesOf({
      zones: [{ name: 'corp.internal', nameServers }],
      addresses: shared,
      ...(replicaAddresses && { replicaAddresses }),
    }),
  );

describe('the name servers of a zone', () => {
  test('have the shared addresses if replicas have none of their own', () => {
    expect(addressesOf([])).toEqual({ 'ns1.corp.internal.': shared });
    expect(addressesOf(['a.internal', 'b.internal'])).toEqual({ 'a.internal.': shared, 'b.internal.': shared });
  });

  test.for<[string, string[], string[][], Record<string, string[]>]>([
    ['one each', ['a', 'b'], [first, second], { 'a.': first, 'b.': second }],
    ['the shared ones for a replica without', ['a', 'b'], [first, []], { 'a.': first, 'b.': shared }],
    [
      'several where there are fewer names',
      ['a', 'b'],
      [first, second, third],
      { 'a.': [...first, ...third], 'b.': second },
    ],
    ['all where there is one name', ['a'], [first, second], { 'a.': [...first, ...second] }],
    [
      'the same again where there are more names',
      ['a', 'b', 'c'],
      [first, second],
      { 'a.': first, 'b.': second, 'c.': first },
    ],
    ['no address twice', ['a'], [[], []], { 'a.': shared }],
  ])('have those of the replicas: $0', ([, names, replicas, expected]) => {
    expect(addressesOf(names, replicas)).toEqual(expected);
  });

  test('have one place each, in the first zone that names them', () => {
    const zones = [
      { name: 'corp.internal', nameServers: ['a', 'b'] },
      { name: 'dev.internal', nameServers: ['b'] },
    ];
    const found = serverAddressesOf({ zones, addresses: shared, replicaAddresses: [first, second] });
    expect(Object.fromEntries(found)).toEqual({ 'a.': first, 'b.': second });
  });
});
