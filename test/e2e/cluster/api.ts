/** Writes to the API server without kubectl, each run of which takes up to half a second of a core. */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { loadConfig, type Source } from '../../../functions/agent/kubernetes/config.ts';
import { ApiError, isApiError, unless } from '../../../functions/agent/kubernetes/status.ts';
import { exchange } from '../../../functions/agent/lib/http-exchange.ts';
import type { KubernetesObject } from '../../../functions/cdk8s-function-xp/composition.ts';

interface Request {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: object;
  /** The account to act as. */
  as?: string | undefined;
}

export interface CreateOptions {
  as?: string;
  /** Whether the object is only validated. */
  dryRun?: boolean;
}

/** Creates an object and returns it as the API server responds. Rejects with an `ApiError`, of 409 if the object exists. */
export async function create(object: object, { as, dryRun = false }: CreateOptions = {}): Promise<KubernetesObject> {
  const { apiVersion, kind, metadata } = object as KubernetesObject;
  const path = await collectionOf(apiVersion, kind, metadata?.namespace);
  return send({ method: 'POST', path: `${path}?${strict}${dryRun ? '&dryRun=All' : ''}`, body: object, as });
}

/** Validates an edit: the object with everything but its metadata replaced. Rejects with an `ApiError`. */
export async function validateEdit(object: KubernetesObject): Promise<void> {
  const path = await objectPathOf(object);
  const current = await send({ method: 'GET', path });
  const body = { ...object, metadata: { ...current.metadata, ...object.metadata } };
  try {
    await send({ method: 'PUT', path: `${path}?${strict}&dryRun=All`, body });
  } catch (error) {
    // Crossplane has written its status in between.
    if (isApiError(error, 409)) return validateEdit(object);
    throw error;
  }
}

/** As `kubectl apply` does it. */
const strict = 'fieldManager=kubectl-client-side-apply&fieldValidation=Strict';

/** Deletes an object at a path. Resolves to false if there is none. */
export async function deleteAt(path: string): Promise<boolean> {
  return (await send({ method: 'DELETE', path }).catch(unless(404))) !== undefined;
}

let connection: Promise<{ server: string; options: https.RequestOptions }> | undefined;

async function connect() {
  const { server, ca, cert, key } = await loadConfig();
  const agent = new https.Agent({ keepAlive: true });
  return { server, options: { agent, ca: read(ca), cert: read(cert), key: read(key) } };
}

const read = (source: Source | undefined) => (typeof source === 'object' ? readFileSync(source.file) : source);

/** The agent's client cannot do this: the agent deletes nothing, and impersonates nobody. */
async function send<T = KubernetesObject>({ method, path, body, as }: Request): Promise<T> {
  connection ??= connect();
  const { server, options } = await connection;
  const content = body && Buffer.from(JSON.stringify(body));
  const headers = {
    Accept: 'application/json',
    ...(content && { 'Content-Type': 'application/json', 'Content-Length': content.length }),
    ...(as && { 'Impersonate-User': as }),
  };
  const request = https.request(server + path, { ...options, method, headers });
  const response = await exchange(request, content, AbortSignal.timeout(60_000));
  const [code = 0, answer] = [response.statusCode, await text(response)];
  if (code < 200 || code > 299) throw new ApiError(code, answer);
  return JSON.parse(answer) as T;
}

interface Resources {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

/** Of an API version. */
const discovered = new Map<string, Resources['resources']>();

export async function objectPathOf({ apiVersion, kind, metadata }: KubernetesObject): Promise<string> {
  return `${await collectionOf(apiVersion, kind, metadata.namespace)}/${metadata.name}`;
}

async function collectionOf(apiVersion: string, kind: string, namespace = 'default'): Promise<string> {
  const api = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const find = () => discovered.get(apiVersion)?.find((each) => each.kind === kind && !each.name.includes('/'));
  // A CRD may be new.
  if (!find()) discovered.set(apiVersion, (await send<Resources>({ method: 'GET', path: api })).resources);
  const resource = find();
  if (!resource) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
  return `${api}${resource.namespaced ? `/namespaces/${namespace}` : ''}/${resource.name}`;
}
