import * as z from 'zod';
import { letGoAnnotation } from '../../contract/declaration.ts';
import { durationOf } from '../../contract/rules.ts';

export const deleteGuard = z
  .object({
    percent: z
      .int()
      .min(0)
      .max(100)
      .default(50)
      .describe(
        "Percentage of an owner's names. Deletions of more of them at once, and of at least five, are held. 100 disables the guard.",
      ),
    hold: durationOf('hold', '1s', '24h')
      .default('10m')
      .describe(
        'How long to keep a name that has lost its address, or is one of too many that would be deleted at once.',
      ),
  })
  .prefault({})
  .describe(
    `Holds back deletions in bulk, and keeps the names of existing objects that have lost their address, such as when an ingress controller restarts and clears every status. The annotation ${letGoAnnotation} releases held names immediately.`,
  );

const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** The time in the annotation, if it is set. Throws unless it is in RFC 3339. */
export function letGoOf(annotations: Record<string, string> | undefined): string | undefined {
  const time = annotations?.[letGoAnnotation];
  if (time === undefined) return undefined;
  if (form.test(time) && !Number.isNaN(Date.parse(time))) return time;
  throw new Error(
    `cannot accept metadata.annotations["${letGoAnnotation}"]: not an RFC 3339 time: ${JSON.stringify(time.slice(0, 40))} (such as 2026-01-31T12:00:00Z; "date -u +%FT%TZ" prints the current time)`,
  );
}
