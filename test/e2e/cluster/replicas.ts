/** The replicas of an InternalDNS, each by itself. */
import { ports } from '../../../functions/internal-dns/names.ts';
import { edit } from './edit.ts';
import { isTrue, list, until, waitForReady } from './kubectl.ts';
import { type Client, clientAt } from './names.ts';

export interface Replica {
  /** HOST and PORT of its own server. */
  server: string;
  port: number;
  client: Client;
}

/** Gives an instance a second replica. Resolves to both once they are ready. */
export async function withSecondReplica(instance: string): Promise<Replica[]> {
  await edit(instance, { replicas: 2 });
  const ready = async () => {
    const pods = await list('pod', { namespace: 'internal-dns', labels: `app.kubernetes.io/instance=${instance}` });
    return pods.filter((pod) => isTrue(pod, 'Ready'));
  };
  await until('both replicas are ready', async () => {
    const { length } = await ready();
    return length === 2 || length;
  });
  await waitForReady(instance);
  return (await ready()).map(({ status }) => {
    const [server, port]: [string, number] = [status?.podIP, ports.dns];
    return { server, port, client: clientAt(server, port) };
  });
}
