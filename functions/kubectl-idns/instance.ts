import * as z from 'zod';
import { Failure } from './failure.ts';
import type { Kubectl } from './kubectl.ts';

const text = z.string();

/** What the commands read of an InternalDNS. */
const internalDNS = z.object({
  metadata: z.object({ name: text }),
  spec: z.object({ namespace: text.default('internal-dns') }).prefault({}),
  status: z
    .object({
      zones: z
        .array(
          z.object({
            name: text,
            state: text,
            message: text.optional(),
            delegation: z.array(text).optional(),
            dnssec: z.unknown().optional(),
          }),
        )
        .optional(),
      discovery: z.object({ heldSince: text.optional() }).optional(),
    })
    .prefault({}),
});

export type InternalDNS = z.output<typeof internalDNS>;

export const resource = 'internaldnses.dns.internal';

export function cureOfInternalDNS(message: string, verbs = 'get and list'): string {
  if (/forbidden/i.test(message)) return `ask for the verbs ${verbs} on ${resource}`;
  if (/doesn't have a resource type|could not find the requested resource/.test(message))
    return 'install Internal DNS (README.md), or choose another cluster with --context';
  if (message.includes('(NotFound)')) return 'kubectl get internaldns lists them';
  return 'check --context and --kubeconfig; kubectl get internaldns must work';
}

/** Reads the InternalDNS of this name, or the only one. */
export async function readInternalDNS(kubectl: Kubectl, name: string | undefined): Promise<InternalDNS> {
  // Who may get a single one needs no rights to list all.
  const args = ['get', resource, ...(name === undefined ? [] : [name]), '--output=json', '--request-timeout=20s'];
  const action = name === undefined ? 'read the InternalDNSes' : `read InternalDNS ${name}`;
  const answer = await kubectl.run(args, {
    action,
    cure: (message) => cureOfInternalDNS(message, name === undefined ? 'get and list' : 'get'),
  });
  const items = parseJson(
    name === undefined ? z.object({ items: z.array(internalDNS) }) : internalDNS.transform((one) => ({ items: [one] })),
    answer,
    action,
  ).items;
  const [first, ...others] = items;
  if (!first) {
    throw new Failure(
      'cannot find an InternalDNS: the cluster has none: create one (examples/minimal.yaml), or choose another cluster with --context',
    );
  }
  if (others.length > 0) {
    const names = items.map(({ metadata }) => metadata.name).sort();
    throw new Failure(`cannot choose an InternalDNS: there are ${names.join(', ')}: use --instance ${names[0]}`);
  }
  return first;
}

export function parseJson<T extends z.ZodType>(schema: T, json: string, action: string): z.output<T> {
  const parsed = schema.safeParse(valueIn(json));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? ` at ${issue.path.join('.')}` : '';
  throw new Failure(`cannot ${action}: unexpected answer${where}: use the plugin of the installed version`);
}

function valueIn(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
