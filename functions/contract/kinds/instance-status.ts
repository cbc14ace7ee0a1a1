import * as z from 'zod';

/** https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties */
const condition = z.object({
  type: z.string().max(64).describe('Type of the condition.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Status of the condition.'),
  reason: z.string().max(64).describe('Reason in one word.'),
  message: z.string().max(1024).describe('Reason in a sentence.'),
  observedGeneration: z.int().min(0).optional().describe('Generation of the object that the condition is on.'),
  lastTransitionTime: z.string().max(64).meta({ format: 'date-time' }).describe('When the status last changed.'),
});

export type KindCondition = z.output<typeof condition>;

/** Upper bounds of what a status lists, beside the number of fields of the spec. */
export const statusBounds = { instances: 16, members: 64, claims: 64, text: 512 } as const;

/**
 * A status with one entry for each InternalDNS that serves the object, which only that InternalDNS writes.
 * @param fields what an entry has beside its name, its time and its conditions
 */
export const statusOfInstances = <F extends z.ZodRawShape>(fields: F) =>
  z.object({
    instances: z
      .array(
        z.object({
          name: z.string().max(40).describe('Name of the InternalDNS.'),
          observedAt: z
            .string()
            .max(64)
            .meta({ format: 'date-time' })
            .optional()
            .describe(
              'When the InternalDNS last wrote this entry. It does so when something changes, and every six hours: an entry older than a day is of an InternalDNS that is gone, and another one removes it.',
            ),
          ...fields,
          conditions: z
            .array(condition)
            .max(8)
            .optional()
            .describe('Conditions, in particular Ready: whether the names resolve, and if not, why.')
            .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
        }),
      )
      .max(statusBounds.instances)
      .optional()
      .describe('What each InternalDNS makes of the object.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  });
