import { expect, test } from 'vitest';
import { parseOptions } from '../../functions/agent/options.ts';

const required = ['declaration', 'powerdns-api', 'powerdns-key', 'dns', 'webhook', 'http'].map((flag) => `--${flag}=x`);

test.each([
  [[], []],
  // Where the kubelet knows no address of its node.
  [['--host-ips='], []],
  [['--host-ips=192.0.2.11,2001:db8::11'], ['192.0.2.11', '2001:db8::11']],
])('%j are the addresses %j of the node', (flags, addresses) => {
  expect(parseOptions([...required, ...flags])['host-ips']).toEqual(addresses);
});
