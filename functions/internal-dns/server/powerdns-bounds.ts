/** What a stranger may cost PowerDNS. */

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** PowerDNS without caches, with its rings full of the longest names, every TCP connection in use, and a write of the agent's. */
const reserve = 96 * MiB;

/**
 * The most that one entry takes. Question and answer are kept as they were, and over TCP a client may pad a question to
 * 64 KiB (an EDNS option that nobody knows), differently each time.
 */
const packet = 128 * KiB;
/** The longest name with an RRset of some dozen records. */
const rrset = 1 * KiB;
const signature = 512;

/**
 * Settings that keep PowerDNS below `memory` bytes and answering, whatever clients ask: measured by `make soak`.
 * https://doc.powerdns.com/authoritative/settings.html
 */
export function boundsOf(memory: number): Record<string, number> {
  const caches = Math.max(0, memory - reserve);
  const entries = (share: number, size: number, least: number) =>
    Math.min(1_000_000, Math.max(least, Math.floor((caches * share) / size)));
  const connections = Math.min(200, Math.max(20, Math.floor(memory / 8 / packet)));
  return {
    'max-packet-cache-entries': entries(0.75, packet, 64),
    'max-cache-entries': entries(0.125, rrset, 1024),
    'max-signature-cache-entries': entries(0.125, signature, 1024),
    // That a name does not exist is in the packet cache. Here it would be kept for each of its labels and a wildcard below
    // each, 237 entries for one question, which costs more than to ask SQLite again.
    'negquery-cache-ttl': 0,
    // Beyond it only what the packet cache knows is answered: else PowerDNS ends itself at max-queue-length (5,000). As many
    // come at once from the socket's own buffer, so that no burst is lost that would not have been lost before it.
    'overload-queue-length': 250,
    'max-tcp-connections': connections,
    'max-tcp-connections-per-client': Math.max(5, Math.floor(connections / 10)),
    // Seconds, so that who waits for a connection gets one: a client opens another one (RFC 7766 section 6.2.3). It does not
    // end one whose first question comes byte by byte, so the share above is what holds:
    // https://github.com/PowerDNS/pdns/blob/auth-5.1.4/pdns/tcpreceiver.cc#L208-L210
    'max-tcp-connection-duration': 10,
    'max-tcp-transactions-per-conn': 1000,
  };
}
