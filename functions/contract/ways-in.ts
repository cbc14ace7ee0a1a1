import * as z from 'zod';

const wayIn = z.object({
  /** The name of the Service in the spec. */
  service: z.string(),
  /** The type of the Service. */
  type: z.string(),
  /** Where clients reach it; of several, any answers. Empty until the cluster has assigned an address. */
  servers: z.array(z.object({ address: z.string(), port: z.int() })),
  /** Hostname of a load balancer, which it can have instead of an address. */
  hostname: z.string().optional(),
});

/**
 * How clients reach the server, as the function observed it: the agents show it and act on nothing of it. Therefore it is
 * no part of the declaration, whose hash a report must repeat before the InternalDNS is ready again.
 */
export const waysIn = z.object({
  /** First that of `spec.service`, then those of the additional Services. */
  ways: z.array(wayIn),
  /** What is missing, each with its cure. */
  notes: z.array(z.string()),
  /** Whether names outside the zones are answered, too: the server can be the only one of a network. */
  answersAll: z.literal(true).exactOptional(),
});

export type WaysIn = z.infer<typeof waysIn>;
export type WayIn = WaysIn['ways'][number];

/** The key, next to that of the declaration, of the ConfigMap that holds them. */
export const waysInKey = 'ways-in.json';
