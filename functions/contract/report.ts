import * as z from 'zod';
import { isCounted, verdicts } from './verdict.ts';

export { isCounted };

/** The most that a report takes of what objects bring: members of lists, characters of texts. */
export const bounds = {
  warnings: 20,
  missing: 32,
  held: 20,
  preview: 20,
  problems: 20,
  values: 8,
  name: 255,
  resource: 400,
  message: 500,
  value: 255,
} as const;

/** From so many loops of ExternalDNS in a row on that had no verdict, or whose changes were not made, it is told. */
export const failedLoops = 3;

const name = z.string().max(bounds.name);

/**
 * `NotAnswering`: PowerDNS does not answer. `Unreachable`: it does, and not through its Service. `NotUpdating`: it answers
 * with what it had before. `Stalled`: ExternalDNS is not heard of, or not answered. `Blind`: the cluster cannot be asked what it has.
 */
export const resolutionStates = ['Serving', 'NotAnswering', 'Unreachable', 'NotUpdating', 'Stalled', 'Blind'] as const;

/**
 * What one pod's agent says of the DNS it serves. The function reads it as untrusted input, so every part is bounded.
 * Nothing in it changes while nothing that a person would care about does: each write wakes Crossplane.
 */
export const report = z.object({
  /** The hash of the declaration that is spoken of. */
  declaration: z.string().max(64),
  zones: z
    .array(
      z.object({
        name: z.string().max(253),
        /** `Retained`: no longer declared, and kept because it holds records that are not ours. */
        state: z.enum(['Serving', 'Pending', 'Failed', 'Retained']),
        message: z.string().max(500).optional(),
        /** Of a signed zone, what its parent or a trust anchor needs. */
        dnssec: z
          .object({ ds: z.array(z.string().max(200)).max(4), dnskey: z.array(z.string().max(300)).max(4) })
          .optional(),
      }),
    )
    .max(128),
  /** What people should know and nothing waits for, such as an address without a zone for its PTR record. */
  warnings: z.array(z.string().max(500)).max(bounds.warnings).optional(),
  discovery: z.object({
    /**
     * `Waiting`: ExternalDNS has not finished a loop yet. `Stalled`: it did once, and is no longer heard of. `Failing`: it
     * asks, and gets no verdict, or its changes cannot be made.
     */
    state: z.enum(['Off', 'Waiting', 'Synced', 'Stalled', 'Failing']),
    /** Why it fails, in the words that ExternalDNS was told. */
    failure: z.string().max(bounds.message).optional(),
    /** Kinds of which nothing is heard, because the cluster does not serve what ExternalDNS watches. */
    missing: z
      .array(z.object({ kind: z.string().max(63), resource: z.string().max(253) }))
      .max(bounds.missing)
      .optional(),
    /** What would be deleted and still stands, and since when, as RFC 3339: the delete guard holds it. */
    held: z.object({ since: z.string().max(40), names: z.array(name).max(bounds.held) }).optional(),
    /** With the policy Preview, what would change; the first few. */
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
  /** The hosts that objects ask for. Absent until they are known, and where nothing is discovered. */
  names: z
    .object({
      /** Those that this server is to answer: in its zones, left out by no filter, and not just on their way. */
      total: z.int().nonnegative(),
      resolved: z.int().nonnegative(),
      /** Those that do not resolve, the gravest first; the first few. */
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
  /** What the agent's own test says of the whole chain, and since when, as RFC 3339. Absent before the first one. */
  resolution: z
    .object({
      state: z.enum(resolutionStates),
      since: z.string().max(40),
      message: z.string().max(bounds.message).optional(),
    })
    .optional(),
  /** Of the kinds that are composed only where the cluster serves them, those that it does: `plural.version.group`. */
  served: z.array(z.string().max(253)).max(8).optional(),
  /** Why the claim could not grow. */
  storage: z.string().max(500).optional(),
});

export type Report = z.infer<typeof report>;
export type ZoneReport = Report['zones'][number];
export type Resolution = NonNullable<Report['resolution']>;

/** Whether everything declared answers and everything wanted was published. */
export function isServing({ zones, discovery }: Pick<Report, 'zones' | 'discovery'>): boolean {
  return (
    zones.every(({ state }) => state === 'Serving' || state === 'Retained') &&
    (discovery.state === 'Off' || discovery.state === 'Synced')
  );
}
