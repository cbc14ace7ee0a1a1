import * as z from 'zod';
import { hostLabel } from '../../contract/host-rules.ts';
import { matching, network, type Rule, uniqueList, withRules } from '../../contract/rules.ts';
import { isWithin } from '../cidr.ts';

const fields = z.object({
  name: withRules(
    z.string().min(1).max(63),
    matching(`^${hostLabel}$`, 'the name of a view must be lower case letters, digits and hyphens, such as guests'),
  ).describe('Name of the view.'),
  from: uniqueList(network, 64, 1).describe('CIDRs of its clients.'),
  internalDNS: withRules(
    z.string().min(1).max(40),
    matching('^[a-z]([-a-z0-9]*[a-z0-9])?$', 'internalDNS must be the name of an InternalDNS'),
  )
    .optional()
    .describe(
      'Another InternalDNS in the same namespace, which answers these clients for the zones of this one: a name can have a second answer there. While it is missing, they get SERVFAIL, never the answer of another view.',
    ),
  // A rule of the spec requires each to be one of its zones.
  zones: uniqueList(z.string().min(1).max(253), 64)
    .optional()
    .describe('The zones of this resource that these clients see. All others are refused.'),
});

const view = withRules(fields, {
  cel: 'has(self.internalDNS) != has(self.zones)',
  holds: ({ internalDNS, zones }) => (internalDNS === undefined) !== (zones === undefined),
  message: 'a view has either internalDNS or zones',
});

type View = z.output<typeof view>;

const different: Rule<View[]> = {
  cel: 'self.all(v, self.exists_one(w, w.name == v.name))',
  holds: (list) => new Set(list.map(({ name }) => name)).size === list.length,
  message: 'views must have different names',
};

export const views = withRules(z.array(view).max(16).default([]), different)
  // Without CEL: `cidr` needs Kubernetes 1.31.
  .superRefine((list, context) => {
    for (const { index, name, inner, outer } of shadowed(list)) {
      const message = `${inner} is within ${outer} of view ${name}, which comes first and answers: remove it, or move this view before that one`;
      context.addIssue({ code: 'custom', message, path: [index, 'from'] });
    }
  })
  .describe(
    'Which clients get which answers for the own zones: the first view whose networks have the client answers. All other clients see all zones. Behind a proxy, such as that of a tailnet, all clients are one.',
  )
  .meta({ 'x-kubernetes-list-type': 'atomic' });

/** The networks that never reach their view, because an earlier one has them all. */
function shadowed(list: View[]) {
  return list.flatMap(({ from }, index) =>
    list
      .slice(0, index)
      .flatMap((earlier) =>
        earlier.from.flatMap((outer) =>
          from.filter((inner) => isWithin(inner, outer)).map((inner) => ({ index, name: earlier.name, inner, outer })),
        ),
      ),
  );
}
