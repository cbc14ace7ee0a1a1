import * as z from 'zod';
import { immutable, immutableOptional, quantity, type Rule, withCEL, withRules } from '../../contract/rules.ts';

const types = ['Volume', 'Ephemeral'] as const;

const fields = {
  type: immutable(z.enum(types), 'type')
    .default('Volume')
    .describe(
      'Volume: a PersistentVolumeClaim for each replica. Ephemeral: an emptyDir, for clusters without a StorageClass or with NFS only. Each new pod then derives every record again. Immutable.',
    ),
  size: withCEL(quantity('size'), {
    rule: 'quantity(self).compareTo(quantity(oldSelf)) >= 0',
    message: 'size may grow, not shrink',
  })
    .default('1Gi')
    .describe(
      'Size of the volume of each replica. It can be increased if the storage class allows expansion. With type Ephemeral the most that the database may take: kubelet evicts a pod that takes more, and a new one starts empty.',
    ),
  storageClassName: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('Name of the storage class. Defaults to the default class of the cluster. Immutable.'),
  retain: z
    .boolean()
    .default(false)
    .describe('Whether the volumes are kept when the InternalDNS is deleted, or scaled down.'),
};

type Fields = z.output<z.ZodObject<typeof fields>>;

// With `has` for fields with a default, too: the API server applies the rules to the default of `storage` itself, which is {}.
const isVolume = "!has(self.type) || self.type == 'Volume'";

const rules: Rule<Fields>[] = [
  {
    cel: `!has(self.storageClassName) || ${isVolume}`,
    holds: (s) => s.storageClassName === undefined || s.type === 'Volume',
    message: 'storageClassName needs type: Volume, because an emptyDir has no StorageClass: leave it out',
  },
  {
    cel: `!has(self.retain) || !self.retain || ${isVolume}`,
    holds: (s) => !s.retain || s.type === 'Volume',
    message: 'retain needs type: Volume, because an emptyDir is deleted with its pod: leave it out',
  },
];

export const storage = withCEL(withRules(z.object(fields), ...rules), ...immutableOptional('storageClassName'))
  .prefault({})
  .describe('Where the SQLite database is.');
