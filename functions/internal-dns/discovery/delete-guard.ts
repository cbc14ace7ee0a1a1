import * as z from 'zod';
import { letGoAnnotation } from '../../contract/declaration.ts';
import { durationOf } from '../rules.ts';

export const deleteGuard = z
  .object({
    percent: z
      .int()
      .min(0)
      .max(100)
      .default(50)
      .describe(
        "How much of an owner's names may vanish at once because their objects are gone, when they are five or more; 100 switches the guard off.",
      ),
    hold: durationOf('hold', '1s', '24h')
      .default('10m')
      .describe('How long a name stands that has lost its address, or is one of too many that vanish.'),
  })
  .prefault({})
  .describe(
    `Holds the name of an object that is still there and has lost its address, as when an ingress controller restarts and clears every status, and deletions that come in masses. The annotation ${letGoAnnotation} lets go at once.`,
  );

const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** The time in the annotation, if it is there: RFC 3339. Throws when it is anything else. */
export function letGoOf(annotations: Record<string, string> | undefined): string | undefined {
  const time = annotations?.[letGoAnnotation];
  if (time === undefined) return undefined;
  if (form.test(time) && !Number.isNaN(Date.parse(time))) return time;
  throw new Error(
    `cannot accept metadata.annotations["${letGoAnnotation}"]: not a time as in RFC 3339: ${JSON.stringify(time.slice(0, 40))} (such as 2026-01-31T12:00:00Z; "date -u +%FT%TZ" prints the present)`,
  );
}
