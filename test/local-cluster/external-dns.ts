/** What ExternalDNS does beside an agent, for the objects that the agent can read. */

import type { Endpoint } from '../../functions/agent/discovery/endpoint.ts';
import { scopesOf } from '../../functions/agent/discovery/scope.ts';
import { endpointsAt } from '../../functions/agent/discovery/source-endpoints.ts';
import { Client } from '../../functions/agent/kubernetes/client.ts';
import { loadKubeconfig } from '../../functions/agent/kubernetes/config.ts';
import { messageOf } from '../../functions/agent/lib/error-message.ts';
import type { SourceLister } from '../../functions/agent/sources/source-object.ts';
import { Sources } from '../../functions/agent/sources/sources.ts';
import type { DeclaredDiscovery } from '../../functions/contract/declaration.ts';
import { loop, webhookAt } from '../agent/external-dns.ts';

export interface LocalExternalDNSOptions {
  kubeconfig: string;
  discovery: DeclaredDiscovery;
  /** URL of the agent's webhook. */
  webhook: string;
  /** Why loops fail; without a failure, that they succeed. */
  onLoop?: (failure?: string) => void;
}

/** Milliseconds until a loop that failed is tried again. */
const retryMs = 250;

/** Asks for what the objects of a cluster show, at once and at the declared interval. Returns a function that stops it. */
export async function startExternalDNS(options: LocalExternalDNSOptions): Promise<() => void> {
  const { kubeconfig, discovery, webhook, onLoop = () => {} } = options;
  const client = new Client(await loadKubeconfig(kubeconfig));
  const sources = new Sources({ client, failureLog: { record: () => {} }, onMissing: () => {} });
  sources.setDiscovery(discovery);
  let timer: NodeJS.Timeout;
  const run = async () => {
    const failure = await runLoops(sources.cache, discovery, webhook).then(() => undefined, messageOf);
    onLoop(failure);
    timer = setTimeout(run, failure === undefined ? discovery.intervalSeconds * 1000 : retryMs);
  };
  timer = setTimeout(run, retryMs);
  return () => {
    clearTimeout(timer);
    sources.stop();
  };
}

async function runLoops(lister: SourceLister, discovery: DeclaredDiscovery, webhook: string): Promise<void> {
  const unsynced = lister.unsynced();
  if (unsynced !== undefined) throw new Error(`the ${unsynced} are not listed yet`);
  for (const { namespace } of scopesOf(discovery)) {
    const url = namespace === undefined ? webhook : `${webhook}/namespaces/${namespace}`;
    await loop(webhookAt(url), endpointsIn(lister, namespace));
  }
}

function endpointsIn(lister: SourceLister, namespace: string | undefined): Endpoint[] {
  const names = new Set([...lister.list()].flatMap(({ hosts }) => hosts));
  return [...names].flatMap((name) => {
    const sourceObjects = lister.byHost(name).filter((each) => (namespace ?? each.namespace) === each.namespace);
    return endpointsAt(name, sourceObjects) ?? [];
  });
}
