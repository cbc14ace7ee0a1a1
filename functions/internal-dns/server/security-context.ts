import * as z from 'zod';
import { withRules } from '../../contract/rules.ts';

// From 1: a restricted pod does not run as root.
const id = z.int().min(1).max(2147483647).optional();

// Without a `default` in the schema: an API server would store its IDs in every object, and `kubectl apply` of {} would
// merge with them instead of removing them.
export const securityContext = withRules(
  z.object({
    runAsUser: id.describe('User ID of all containers.'),
    runAsGroup: id.describe('Primary group ID of all containers.'),
    fsGroup: id.describe('Group ID that owns the volume. Required with runAsUser.'),
  }),
  {
    cel: '!has(self.runAsUser) || has(self.fsGroup)',
    holds: ({ runAsUser, fsGroup }) => runAsUser === undefined || fsGroup !== undefined,
    message: 'runAsUser needs fsGroup: without it a volume belongs to root, and this user cannot write to it',
  },
)
  .optional()
  .describe(
    "User and groups of the pods. Defaults to 953 for each of them, the user of PowerDNS's image. Replaces this default as a whole: {} sets none, for clusters that assign IDs, such as OpenShift. runAsNonRoot and the seccomp profile RuntimeDefault are always set.",
  );

/** The user of PowerDNS's image. */
export const defaultIDs = { runAsUser: 953, runAsGroup: 953, fsGroup: 953 };
