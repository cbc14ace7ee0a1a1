import { isIP } from 'node:net';
import * as z from 'zod';
import { domainForm, labelRule } from '../../contract/name-form.ts';
import { ipForm, network, uniqueList, withRules } from '../../contract/rules.ts';

const numeric = '(^|[.])[0-9]+$';

/** The CEL accepts a little more than the function: `isIP` needs Kubernetes 1.30. */
const target = withRules(
  z.string().min(1).max(253),
  {
    cel: `self.matches('${ipForm}') || (self.matches('${domainForm}') && !self.matches('${numeric}'))`,
    holds: (s) => isAddress(s) || (new RegExp(domainForm).test(s) && !new RegExp(numeric).test(s)),
    message:
      'a target must be an address or a name in lower case without the trailing dot, such as 192.0.2.7 or lb.corp.internal',
  },
  labelRule('a target'),
);

/** `isIP` also accepts an IPv6 address with a zone (RFC 4007 section 11), which no record can have. */
const isAddress = (text: string) => isIP(text) !== 0 && new RegExp(ipForm).test(text);

export const targets = z
  .object({
    default: uniqueList(target, 16)
      .default([])
      .describe('Targets of objects whose controller writes no address to their status.'),
    override: uniqueList(target, 16)
      .default([])
      .describe('Targets that replace all addresses and names of an object, such as behind NAT.'),
    networks: uniqueList(network, 16)
      .default([])
      .describe('CIDRs of the addresses to publish. If empty, all addresses are published.'),
    excludedNetworks: uniqueList(network, 16).default([]).describe('CIDRs of addresses not to publish.'),
    hostNames: z
      .enum(['Addresses', 'CNAME'])
      .default('Addresses')
      .describe(
        'How to publish a target that is a host name outside the zones, such as that of a load balancer. Addresses: with the addresses that the name has at the moment, as the resolver of the pods finds them. CNAME: with a CNAME record, which gives no address to clients whose resolver queries this server for nothing but its zones.',
      ),
  })
  .prefault({})
  .describe('Targets of discovered names.');
