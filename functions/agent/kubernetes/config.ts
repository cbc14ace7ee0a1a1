import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import * as z from 'zod';

/** A text, or the file that holds it: kubelet and certificate managers replace files while the process runs. */
export type Source = string | { file: string };

/** Where the API server is and how to authenticate (client-go's rest.Config). */
export interface Config {
  /** Such as `https://10.96.0.1:443`. */
  server: string;
  namespace?: string | undefined;
  token?: Source | undefined;
  /** PEM. Replaces Node's own authorities. */
  ca?: Source | undefined;
  /** PEM of the client certificate and its key. */
  cert?: Source | undefined;
  key?: Source | undefined;
  /** Name to look for in the server's certificate instead of the host of `server`. */
  serverName?: string | undefined;
  /** Skips verification of the server's certificate. */
  isInsecure?: boolean | undefined;
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Returns the configuration of KUBECONFIG, else that of the pod, else that of ~/.kube/config, as controller-runtime does. */
export async function loadConfig(env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  if (env.KUBECONFIG) return loadKubeconfig(...env.KUBECONFIG.split(delimiter).filter(Boolean));
  if (env.KUBERNETES_SERVICE_HOST) return inClusterConfig(env);
  const file = join(env.HOME ?? homedir(), '.kube/config');
  if (existsSync(file)) return loadKubeconfig(file);
  throw new Error(
    'cannot find the API server: neither KUBECONFIG nor KUBERNETES_SERVICE_HOST is set: set KUBECONFIG, or run in a pod',
  );
}

/** Returns the configuration of a pod: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
export function inClusterConfig(env: NodeJS.ProcessEnv = process.env, folder = serviceAccount): Config {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env;
  const namespace = join(folder, 'namespace');
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    token: { file: join(folder, 'token') },
    ca: { file: join(folder, 'ca.crt') },
    ...(existsSync(namespace) && { namespace: readFileSync(namespace, 'utf8').trim() }),
  };
}

const text = z.string().optional();
const named = <Name extends string, T extends z.ZodType>(name: Name, value: T) =>
  z.array(z.object({ name: z.string(), [name]: value } as { name: z.ZodString } & Record<Name, T>)).nullish();

const kubeconfigSchema = z.object({
  'current-context': text,
  contexts: named('context', z.object({ cluster: z.string(), user: text, namespace: text })),
  clusters: named(
    'cluster',
    z.object({
      server: z.string(),
      'certificate-authority': text,
      'certificate-authority-data': text,
      'insecure-skip-tls-verify': z.boolean().optional(),
      'tls-server-name': text,
      'proxy-url': text,
    }),
  ),
  users: named(
    'user',
    z.looseObject({
      'client-certificate': text,
      'client-certificate-data': text,
      'client-key': text,
      'client-key-data': text,
      token: text,
      tokenFile: text,
    }),
  ),
});

type Kubeconfig = z.infer<typeof kubeconfigSchema>;

/** Plugins, passwords (which Kubernetes 1.19 and later refuse), and impersonation. */
const unsupported = ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'];

/**
 * Returns the configuration of a kubeconfig's current context. Of several files the first one with a value wins, as for
 * kubectl: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 */
export async function loadKubeconfig(...files: string[]): Promise<Config> {
  const all = await Promise.all(files.map(async (file) => [file, await parseKubeconfig(file)] as const));
  const where = `kubeconfig ${files.join(delimiter)}`;
  const current = all.map(([, kubeconfig]) => kubeconfig['current-context']).find(Boolean);
  if (current === undefined) {
    throw new Error(`cannot use ${where}: no current-context: kubectl config use-context NAME`);
  }
  const find = <T>(kind: string, name: string, of: (kubeconfig: Kubeconfig) => readonly ({ name: string } & T)[]) => {
    for (const [file, kubeconfig] of all) {
      const found = of(kubeconfig).find((each) => each.name === name);
      if (found) return { ...found, folder: dirname(resolve(file)) };
    }
    throw new Error(`cannot use ${where}: no ${kind} ${name}: kubectl config view`);
  };
  const { context } = find('context', current, ({ contexts }) => contexts ?? []);
  const { cluster, folder } = find('cluster', context.cluster, ({ clusters }) => clusters ?? []);
  if (cluster['proxy-url']) throw new Error(`cannot use ${where}: proxy-url is not supported: remove it`);
  return {
    server: cluster.server.replace(/\/$/, ''),
    namespace: context.namespace,
    ca: sourceOf(cluster['certificate-authority-data'], cluster['certificate-authority'], folder),
    serverName: cluster['tls-server-name'],
    isInsecure: cluster['insecure-skip-tls-verify'],
    ...(context.user &&
      credentialsOf(
        find('user', context.user, ({ users }) => users ?? []),
        where,
      )),
  };
}

type User = NonNullable<Kubeconfig['users']>[number] & { folder: string };

function credentialsOf({ name, user, folder }: User, where: string): Pick<Config, 'token' | 'cert' | 'key'> {
  const found = unsupported.find((member) => user[member] !== undefined);
  if (found !== undefined) {
    const supported = 'token, tokenFile, or client-certificate and client-key';
    throw new Error(`cannot use ${where}: ${found} of user ${name} is not supported: use ${supported}`);
  }
  return {
    token: user.tokenFile ? { file: resolve(folder, user.tokenFile) } : user.token,
    cert: sourceOf(user['client-certificate-data'], user['client-certificate'], folder),
    key: sourceOf(user['client-key-data'], user['client-key'], folder),
  };
}

/** Data overrides a file, whose path is relative to that of the kubeconfig. */
function sourceOf(data: string | undefined, file: string | undefined, folder: string): Source | undefined {
  if (data) return Buffer.from(data, 'base64').toString();
  return file ? { file: resolve(folder, file) } : undefined;
}

async function parseKubeconfig(file: string): Promise<Kubeconfig> {
  const content = readKubeconfig(file);
  // Lazily: a pod needs no parser.
  const { parse } = await import('yaml');
  const { data, error } = kubeconfigSchema.safeParse(parsed(parse, content));
  if (data) return data;
  const [issue] = error.issues;
  throw new Error(`cannot use kubeconfig ${file}: ${issue?.path.join('.') || 'text'}: ${issue?.message}`);
}

function readKubeconfig(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`cannot read kubeconfig ${file}: ${(error as Error).message}: set KUBECONFIG`);
  }
}

/** Returns undefined for a mistake: the parser's message quotes the line, which may hold a token. */
function parsed(parse: (text: string) => unknown, content: string): unknown {
  try {
    return parse(content);
  } catch {
    return undefined;
  }
}
