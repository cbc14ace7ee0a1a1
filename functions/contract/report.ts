import * as z from 'zod';
import { isCounted, verdicts } from './verdict.ts';

export { isCounted };

/** A certificate that expires sooner is reported, and has an alert: cert-manager renews those of 90 days a month before. */
export const certificateWarningDays = 7;

/** Upper bounds of what a report copies from objects: items of lists, characters of texts. */
export const bounds = {
  warnings: 20,
  missing: 32,
  held: 20,
  preview: 20,
  problems: 20,
  values: 8,
  upstreams: 136,
  hostIPs: 32,
  name: 255,
  resource: 400,
  message: 500,
  value: 255,
} as const;

/** Number of consecutive failed loops of ExternalDNS after which the failure is reported. */
export const failedLoops = 3;

const name = z.string().max(bounds.name);

/**
 * `NotAnswering`: PowerDNS does not answer. `Unreachable`: it answers, but not through its Service. `NotUpdating`: it
 * answers with outdated records. `Stalled`: ExternalDNS has stopped syncing, or its requests fail. `Blind`: the API server
 * cannot be reached.
 */
export const resolutionStates = ['Serving', 'NotAnswering', 'Unreachable', 'NotUpdating', 'Stalled', 'Blind'] as const;

/** `Retained`: no longer declared, but kept because it contains records that are not managed. */
export const zoneStates = ['Serving', 'Pending', 'Failed', 'Retained'] as const;

/**
 * The state of the DNS that one pod serves, as its agent reports it. The function reads it as untrusted input, so every
 * part is bounded. It has no counters or timestamps that change by themselves: each write triggers Crossplane.
 */
export const report = z.object({
  /** The hash of the declaration that the report is on. */
  declaration: z.string().max(64),
  zones: z
    .array(
      z.object({
        name: z.string().max(253),
        state: z.enum(zoneStates),
        message: z.string().max(500).optional(),
        /** What the parent or a trust anchor needs of a signed zone. */
        dnssec: z
          .object({ ds: z.array(z.string().max(200)).max(4), dnskey: z.array(z.string().max(300)).max(4) })
          .optional(),
      }),
    )
    .max(128),
  /** Problems that do not affect readiness, such as an address without a zone for its PTR record. */
  warnings: z.array(z.string().max(500)).max(bounds.warnings).optional(),
  discovery: z.object({
    /**
     * `Waiting`: ExternalDNS has not finished its first loop. `Stalled`: it has stopped sending requests. `Failing`: its
     * requests fail.
     */
    state: z.enum(['Off', 'Waiting', 'Synced', 'Stalled', 'Failing']),
    /** Why it fails, as returned to ExternalDNS. */
    failure: z.string().max(bounds.message).optional(),
    /** Kinds that are not discovered because the cluster does not serve the resources that ExternalDNS watches. */
    missing: z
      .array(z.object({ kind: z.string().max(63), resource: z.string().max(253) }))
      .max(bounds.missing)
      .optional(),
    /** Names that the delete guard holds, and since when, in RFC 3339. */
    held: z.object({ since: z.string().max(40), names: z.array(name).max(bounds.held) }).optional(),
    /** With the policy Preview, the first changes that would be made. */
    preview: z
      .array(
        z.object({
          action: z.enum(['Create', 'Update', 'Delete']),
          name,
          type: z.string().max(16),
          values: z.array(z.string().max(bounds.value)).max(bounds.values),
        }),
      )
      .max(bounds.preview)
      .optional(),
  }),
  /** The hosts that objects request. Absent until known, and if nothing is discovered. */
  names: z
    .object({
      /** Hosts that this server should answer for: in its zones, not filtered out, and no longer pending. */
      total: z.int().nonnegative(),
      resolved: z.int().nonnegative(),
      /** Hosts that do not resolve, the most severe first, up to a limit. */
      problems: z
        .array(
          z.object({
            name,
            resource: z.string().max(bounds.resource),
            verdict: z.enum(verdicts),
            message: z.string().max(bounds.message),
          }),
        )
        .max(bounds.problems),
    })
    .optional(),
  /** Result of the agent's self-test of the whole chain, and since when, in RFC 3339. Absent before the first one. */
  resolution: z
    .object({
      state: z.enum(resolutionStates),
      since: z.string().max(40),
      message: z.string().max(bounds.message).optional(),
    })
    .optional(),
  /** The addresses of the pod's node, one for each IP family. */
  hostIPs: z.array(z.string().max(45)).max(4).optional(),
  /** The optional kinds that the cluster serves: `plural.version.group`. */
  served: z.array(z.string().max(253)).max(8).optional(),
  /** Why the PersistentVolumeClaim could not be expanded. */
  storage: z.string().max(500).optional(),
  /** What the resolver's pods say of their upstreams, the worst state of each. Absent if there is no resolver. */
  resolver: z
    .object({
      upstreams: z
        .array(z.object({ address: z.string().max(64), state: z.enum(['Up', 'Down']) }))
        .max(bounds.upstreams),
      /** Upstreams through which a question comes back to the resolver. */
      circles: z.array(z.string().max(64)).max(bounds.upstreams).optional(),
      /** Why the question that tests forwarding got no answer, such as SERVFAIL. */
      unforwarded: z.string().max(bounds.message).optional(),
      /** The worst certificate of each kind. `Missing`: a pod shows none. */
      certificates: z
        .array(
          z.object({
            field: z.enum(['doT', 'doH']),
            state: z.enum(['Valid', 'Expiring', 'Expired', 'Missing']),
            /** RFC 3339. */
            notAfter: z.string().max(40).optional(),
          }),
        )
        .max(2)
        .optional(),
      /** The addresses of the nodes of its pods. */
      hostIPs: z.array(z.string().max(45)).max(bounds.hostIPs).optional(),
    })
    .optional(),
  /** From the one agent that writes there. */
  splitDNS: z
    .object({
      /** `Pending`: something does not exist yet. `Conflict`: entries of others are in the way. */
      state: z.enum(['Synced', 'Pending', 'Conflict', 'Failed']),
      message: z.string().max(bounds.message).optional(),
    })
    .optional(),
});

export type Report = z.infer<typeof report>;
export type ZoneReport = Report['zones'][number];
export type Resolution = NonNullable<Report['resolution']>;

/** Reports whether everything declared is served and everything discovered was published. */
export function isServing({ zones, discovery }: Pick<Report, 'zones' | 'discovery'>): boolean {
  return (
    zones.every(({ state }) => state === 'Serving' || state === 'Retained') &&
    (discovery.state === 'Off' || discovery.state === 'Synced')
  );
}
