import * as z from 'zod';
import { network, withRules } from '../../contract/rules.ts';
import { labelSelector } from '../../contract/selector-schema.ts';
import { isWithin, prefixOf } from '../cidr.ts';

const ipBlock = z
  .object({
    cidr: network.describe('CIDR of the addresses, such as 192.0.2.0/24.'),
    except: z.array(network).max(16).optional().describe('CIDRs within cidr to exclude.'),
  })
  // The API server has the same rule: a rejected NetworkPolicy would abort Crossplane's reconcile halfway.
  .refine(
    ({ cidr, except = [] }) => except.every((each) => isWithin(each, cidr) && prefixOf(each) > prefixOf(cidr)),
    'except must be networks within cidr, each smaller than it',
  );

const peer = withRules(
  z.object({
    namespaceSelector: labelSelector
      .optional()
      .describe('Selects namespaces by their labels. {} selects every namespace.'),
    podSelector: labelSelector
      .optional()
      .describe(
        'Selects pods by their labels in the selected namespaces or, without namespaceSelector, in the namespace of the server.',
      ),
    ipBlock: ipBlock.optional().describe('Addresses outside the cluster, or of its nodes.'),
  }),
  {
    cel: 'has(self.ipBlock) != (has(self.namespaceSelector) || has(self.podSelector))',
    holds: ({ ipBlock, namespaceSelector, podSelector }) => !ipBlock !== !(namespaceSelector ?? podSelector),
    message: 'a peer has either ipBlock, or namespaceSelector, podSelector or both',
  },
);

/** https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors */
export const peers = z.array(peer).max(16).default([]).meta({ 'x-kubernetes-list-type': 'atomic' });
