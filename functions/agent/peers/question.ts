import { canaryZone } from '../../contract/canary-zone.ts';
import { withoutDot } from '../../dns/name.ts';
import { QueryTimeout, queryOnce, type ServerAddress, type Transport } from '../self-test/dns-query.ts';

/** Of one attempt. Milliseconds. */
const timeoutMs = 500;
const attempts = 3;
/** Errors of a network that has lost the node, or its route. */
const unreachable = ['no route to host', 'network is unreachable'];
/** A timer that is so late tells about this process, not about the one that was asked. Milliseconds. */
const heldUpMs = 250;

/**
 * Whether PowerDNS at an address answers anything, over UDP or, as networks treat them differently, over TCP. Undefined if
 * this process was held up meanwhile. A refused connection is an answer: the node is alive, and its kubelet knows best.
 */
export async function isAnswering(server: ServerAddress, now = performance.now.bind(performance)) {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const started = now();
    const transports: Transport[] = attempt === attempts ? ['UDP', 'TCP'] : ['UDP'];
    const answers = await Promise.all(transports.map((transport) => hasAnswer(server, transport)));
    if (answers.includes(true)) return true;
    if (now() - started > timeoutMs + heldUpMs) return undefined;
  }
  return false;
}

async function hasAnswer(server: ServerAddress, transport: Transport): Promise<boolean> {
  try {
    await queryOnce({ server, name: withoutDot(canaryZone), type: 'SOA', transport, timeoutMs });
    return true;
  } catch (error) {
    return !(error instanceof QueryTimeout || unreachable.includes((error as Error).message));
  }
}
