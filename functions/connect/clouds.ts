import { lines, namesOf, type Program, type Server } from './program.ts';

/** A rule takes at most six: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html */
const mostTargets = 6;

const targetOf = ({ address, port }: Server) => `${address.includes(':') ? 'Ipv6' : 'Ip'}=${address},Port=${port}`;

/** Resolvers of a cloud's network. */
export const clouds: Program[] = [
  {
    id: 'gke-cloud-dns',
    name: 'Cloud DNS for GKE',
    ports: '53',
    steps: ({ zones, servers }) => [
      {
        // https://cloud.google.com/dns/docs/zones/forwarding-zones
        text: 'Create a forwarding zone, which the whole network sees. Cloud DNS asks from 35.199.192.0/19 and cannot reach cluster IPs: use the addresses of an internal load balancer.',
        code: lines(
          zones.map(
            ({ name }) =>
              `gcloud dns managed-zones create ${name.replaceAll(/[./_]/g, '-')} --description="Internal DNS" --visibility=private --networks=NETWORK --dns-name=${name}. --private-forwarding-targets=${servers.map(({ address }) => address).join(',')}`,
          ),
        ),
      },
    ],
  },
  {
    id: 'route53-resolver',
    name: 'Route 53 Resolver',
    ports: 'Any',
    steps: ({ zones, servers }) => [
      {
        // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-rules-managing.html
        text: 'A rule for each zone, on an outbound endpoint whose subnets and security group reach the server over UDP and TCP, and then an association with each VPC. It cannot reach cluster IPs: use fixed addresses of an internal load balancer.',
        code: lines(
          namesOf(zones).flatMap((name) => [
            `aws route53resolver create-resolver-rule --creator-request-id "${name}-$(date +%s)" --name ${name.replaceAll(/[./]/g, '-')} --rule-type FORWARD --domain-name ${name} --resolver-endpoint-id OUTBOUND_ENDPOINT --target-ips ${servers.slice(0, mostTargets).map(targetOf).join(' ')}`,
          ]),
          'aws route53resolver associate-resolver-rule --resolver-rule-id RULE --vpc-id VPC',
        ),
      },
    ],
  },
];
