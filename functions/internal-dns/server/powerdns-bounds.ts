/** Bounds on the memory and connections of PowerDNS that clients can use up. */

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/**
 * PowerDNS without caches, with its rings full of the longest names, all TCP connections in use, and a write by the
 * agent.
 */
const reserve = 96 * MiB;

/**
 * Maximum size of an entry in the packet cache, which stores question and answer as they are: over TCP a client can pad
 * each question to 64 KiB in a different way (with an unknown EDNS option).
 */
const packet = 128 * KiB;
/** The longest name with an RRset of some dozen records. */
const rrset = 1 * KiB;
const signature = 512;

/**
 * Settings that keep PowerDNS below `memory` bytes and responsive, whatever clients send: measured by `make soak`.
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
    // The packet cache already has negative answers. This cache would have an entry for each label of the name and for
    // a wildcard below each, 237 for one question, which costs more than querying SQLite again.
    'negquery-cache-ttl': 0,
    // With a longer queue only the packet cache answers; otherwise PowerDNS would exit at max-queue-length (5,000). The
    // socket's own buffer holds as many questions, so no burst is lost that would have fit into that buffer.
    'overload-queue-length': 250,
    'max-tcp-connections': connections,
    'max-tcp-connections-per-client': Math.max(5, Math.floor(connections / 10)),
    // In seconds, so that waiting clients get a connection; a client reconnects (RFC 7766 section 6.2.3). PowerDNS does
    // not close a connection whose first question arrives byte by byte, so the limit per client is the effective one:
    // https://github.com/PowerDNS/pdns/blob/auth-5.1.4/pdns/tcpreceiver.cc#L208-L210
    'max-tcp-connection-duration': 10,
    'max-tcp-transactions-per-conn': 1000,
  };
}
