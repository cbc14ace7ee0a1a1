import * as z from 'zod';
import { hostLabel } from '../../contract/host-rules.ts';
import { objectName } from '../../contract/name-form.ts';
import { matching, withRules } from '../../contract/rules.ts';

/** Of Tailscale itself. */
const tailscaleAPI = 'https://api.tailscale.com';

const path = '(/[-a-zA-Z0-9._~]+)*/?$';
const host = '([a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?|[[][0-9a-fA-F:.]+])(:[0-9]{1,5})?';
/** RFC 1918, RFC 6598, which tailnets themselves use, and RFC 4193. */
const privateHost =
  '((10[.][0-9]{1,3}|172[.](1[6-9]|2[0-9]|3[01])|192[.]168|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))([.][0-9]{1,3}){2}|[[][fF][cCdD][0-9a-fA-F]{2}:[0-9a-fA-F:.]+])(:[0-9]{1,5})?';
const apiForm = `^(https://${host}|http://${privateHost})${path}`;

const splitDNS = z
  .object({
    credentials: z
      .object({
        secretRef: z
          .object({ name: objectName('name', 'a Secret').describe('Name of the Secret, in spec.namespace.') })
          .describe('Secret with the keys client_id and client_secret.'),
      })
      .describe('OAuth client of the tailnet, with the scope dns.'),
    tailnet: withRules(
      z.string().min(1).max(255),
      matching('^[-a-zA-Z0-9@._+]+$', 'tailnet must be the name of a tailnet, such as example.com, or -'),
    )
      .default('-')
      .describe('Name of the tailnet; - is the one of the OAuth client.'),
    apiURL: withRules(z.string().min(1).max(255), {
      cel: `self.matches('${apiForm}')`,
      holds: (s) => new RegExp(apiForm).test(s) && URL.canParse(s),
      message: `apiURL must be an https URL, such as ${tailscaleAPI}; plain http is for private addresses only, as the credentials could be read on the way`,
    })
      .default(tailscaleAPI)
      .describe('Where the admin API is, for other control servers.'),
  })
  .describe(
    "Keeps the tailnet's split DNS: an entry for each zone, with the addresses of this Service in the tailnet. Entries of others are left as they are. At most one Service has this.",
  );

/** How a Service is in a tailnet. */
export const tailscale = withRules(
  z.object({
    hostname: withRules(
      z.string().min(1).max(63),
      matching(`^${hostLabel}$`, 'hostname must be one label of lower case letters, digits and hyphens, such as dns'),
    )
      .optional()
      .describe('Name of the machine, or with proxyGroup of the Tailscale Service, in the tailnet.'),
    tags: z
      .array(withRules(z.string().max(63), matching('^tag:[a-zA-Z][a-zA-Z0-9-]*$', 'tags must look like tag:dns')))
      .max(16)
      .default([])
      .describe('ACL tags in the tailnet. The operator uses them for a new machine only.'),
    proxyClass: objectName('proxyClass', 'a ProxyClass')
      .optional()
      .describe('Name of the ProxyClass for the pod that the operator runs for the Service.'),
    proxyGroup: objectName('proxyGroup', 'a ProxyGroup')
      .optional()
      .describe(
        'Name of a ProxyGroup of type ingress. Its pods share one address in the tailnet, so that names resolve while one of them is away.',
      ),
    splitDNS: splitDNS.optional(),
  }),
  {
    cel: '!has(self.proxyClass) || !has(self.proxyGroup)',
    holds: ({ proxyClass, proxyGroup }) => proxyClass === undefined || proxyGroup === undefined,
    message: 'proxyClass is for a proxy of its own: set that of the pods of a group in the ProxyGroup',
  },
).describe('Exposes the Service through the Tailscale operator, as a load balancer of class tailscale.');

export type Tailscale = z.output<typeof tailscale>;

/** https://tailscale.com/kb/1445/kubernetes-operator-customization */
export function annotationsOf({ hostname, tags, proxyClass, proxyGroup }: Tailscale): Record<string, string> {
  return {
    ...(hostname && { 'tailscale.com/hostname': hostname }),
    ...(tags.length > 0 && { 'tailscale.com/tags': tags.join(',') }),
    ...(proxyClass && { 'tailscale.com/proxy-class': proxyClass }),
    ...(proxyGroup && { 'tailscale.com/proxy-group': proxyGroup }),
  };
}
