import { get, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import * as z from 'zod';
import { Failure } from './failure.ts';
import { type InternalDNS, parseJson } from './instance.ts';
import type { Kubectl } from './kubectl.ts';

const text = z.string();

/** A verdict is any text: the agent may be of a later version. */
const nameRow = z.object({
  name: text,
  resource: text,
  verdict: text,
  message: text,
  zone: text.optional(),
  answers: z.array(text),
  since: text,
  propagationSeconds: z.number().optional(),
});

/** What the commands read of /names.json. */
const listing = z.object({
  instance: text,
  discovery: z.object({ held: z.object({ since: text, names: z.array(text) }).optional() }),
  total: z.number(),
  resolved: z.number(),
  hint: text.optional(),
  names: z.array(nameRow),
});

export type NameRow = z.output<typeof nameRow>;

/** The names of an InternalDNS as one of its pods sees them. */
export interface Listing extends z.output<typeof listing> {
  pod: string;
  /** Number of pods. */
  pods: number;
}

const statusPort = 8080;
/** Milliseconds. The agent renders for all clients in turn. */
const requestTimeout = 30_000;
const maxBytes = 256 * 1024 * 1024;

export interface ListingOptions {
  /** A host or a part of one. */
  host?: string;
  /** Of the pods, if not that of the InternalDNS. */
  namespace?: string | undefined;
}

/** Reads /names.json of a ready pod. */
export async function readListing(
  kubectl: Kubectl,
  instance: InternalDNS,
  { host, namespace }: ListingOptions = {},
): Promise<Listing> {
  const action = `read the names of ${instance.metadata.name}`;
  const query = host === undefined ? '' : `?${new URLSearchParams({ host })}`;
  const { answer, pod, pods } = await readPage(kubectl, instance, { path: `/names.json${query}`, action, namespace });
  return { ...parseJson(listing, answer, action), pod, pods };
}

export interface PageOptions {
  path: string;
  action: string;
  /** Of the pods, if not that of the InternalDNS. */
  namespace?: string | undefined;
}

/** Reads a page of a ready pod's agent through `kubectl port-forward`, which no NetworkPolicy blocks. */
export async function readPage(
  kubectl: Kubectl,
  { metadata: { name }, spec }: InternalDNS,
  { path, action, namespace = spec.namespace }: PageOptions,
): Promise<{ answer: string; pod: string; pods: number }> {
  const { pod, pods } = await choosePod(kubectl, name, namespace);
  const cure = (message: string) =>
    /forbidden/i.test(message)
      ? `ask for the verb get on pods and create on pods/portforward in the namespace ${namespace}`
      : `see kubectl -n ${namespace} describe pod ${pod}`;
  const answer = await kubectl.withPort({ namespace, pod, port: statusPort }, { action, cure }, (port) =>
    request(port, path).catch(({ name: kind, message }: Error) => {
      const [, refusal] = /^HTTP 400: (.*)$/.exec(message) ?? [];
      if (refusal !== undefined) throw new Failure(`cannot ${action}: ${refusal}`);
      const cause =
        kind === 'AbortError' || kind === 'TimeoutError' ? `within ${requestTimeout / 1000} s` : `(${message})`;
      throw new Failure(
        `cannot ${action}: the agent in the pod ${pod} does not answer ${cause}: see kubectl -n ${namespace} logs ${pod} -c agent`,
      );
    }),
  );
  return { answer, pod, pods };
}

const pod = z.object({
  metadata: z.object({ name: text }),
  status: z
    .object({
      phase: text.optional(),
      conditions: z.array(z.object({ type: text, status: text, message: text.optional() })).optional(),
      containerStatuses: z
        .array(
          z.object({
            name: text,
            state: z
              .object({ waiting: z.object({ reason: text.optional() }).optional(), running: z.unknown().optional() })
              .optional(),
          }),
        )
        .optional(),
    })
    .prefault({}),
});

type Pod = z.output<typeof pod>;

const isReady = ({ status }: Pod) => status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');

/**
 * Returns the first ready pod, or the first whose agent runs. The status Service would pick one of these pods, too, but
 * kubectl does not print which.
 */
async function choosePod(kubectl: Kubectl, name: string, namespace: string): Promise<{ pod: string; pods: number }> {
  const selector = `app.kubernetes.io/name=internal-dns,app.kubernetes.io/instance=${name}`;
  const action = `find a pod of ${name}`;
  const cure = (message: string) =>
    /forbidden/i.test(message)
      ? `ask for the verb list on pods in the namespace ${namespace}`
      : `see kubectl describe internaldns ${name}`;
  const answer = await kubectl.run(
    ['get', 'pods', `--namespace=${namespace}`, `--selector=${selector}`, '--output=json', '--request-timeout=20s'],
    { action, cure },
  );
  const { items } = parseJson(z.object({ items: z.array(pod) }), answer, action);
  const [first] = items;
  if (!first)
    throw new Failure(
      `cannot ${action}: the namespace ${namespace} has none: see kubectl describe internaldns ${name}`,
    );
  const chosen = items.find(isReady) ?? items.find(hasRunningAgent);
  if (chosen) return { pod: chosen.metadata.name, pods: items.length };
  throw new Failure(
    `cannot reach ${name}: its pod ${first.metadata.name} is not ready (${whyNotReady(first)}): see kubectl -n ${namespace} describe pod ${first.metadata.name}`,
  );
}

const hasRunningAgent = ({ status }: Pod) =>
  status.containerStatuses?.some((each) => each.name === 'agent' && each.state?.running !== undefined);

function whyNotReady({ status }: Pod): string {
  const waiting = status.containerStatuses?.flatMap((each) => each.state?.waiting?.reason ?? [])[0];
  const message = status.conditions?.find((each) => each.status !== 'True' && each.message)?.message;
  return waiting ?? message ?? status.phase ?? 'not scheduled';
}

async function request(port: number, path: string): Promise<string> {
  const signal = AbortSignal.timeout(requestTimeout);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // An agent of its own: that of the process may go through a proxy (NODE_USE_ENV_PROXY).
    get({ host: '127.0.0.1', port, path, agent: false, signal }, resolve).once('error', reject);
  });
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) response.destroy(new Error('an answer of more than 256 MiB'));
  });
  const body = await textOf(response);
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${body.trim().slice(0, 200)}`);
  return body;
}
