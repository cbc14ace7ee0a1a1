import * as z from 'zod';

/** How people keep the split DNS of a tailnet. */
export const byHand = z.object({
  nameservers: z.array(z.string()).describe('Addresses to add as custom nameservers in the admin console.'),
  domains: z.array(z.string()).describe('Domains to restrict each of them to.'),
  api: z.string().describe('The same as a request to the admin API, with an access token in TOKEN.'),
  terraform: z.string().describe("The same for Tailscale's Terraform provider."),
});

export function byHandOf(composite: string, domains: string[], nameservers: string[]): z.output<typeof byHand> {
  const entries = JSON.stringify(Object.fromEntries(domains.map((domain) => [domain, nameservers])));
  return {
    nameservers,
    domains,
    api: `curl -X PATCH https://api.tailscale.com/api/v2/tailnet/-/dns/split-dns -H "Authorization: Bearer $TOKEN" --json '${entries}'`,
    terraform: domains.map((domain) => resource(`${composite}_${domain}`, domain, nameservers)).join('\n'),
  };
}

/** https://registry.terraform.io/providers/tailscale/tailscale/latest/docs/resources/dns_split_nameservers */
const resource = (name: string, domain: string, nameservers: string[]) =>
  `resource "tailscale_dns_split_nameservers" "${name.replace(/[^-a-z0-9_]/g, '_')}" {
  domain      = ${JSON.stringify(domain)}
  nameservers = [${nameservers.map((each) => JSON.stringify(each)).join(', ')}]
}
`;
