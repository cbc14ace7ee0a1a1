/** Bounds on the memory and connections of dnsdist that clients can use up. */

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** dnsdist without a cache: 34 MiB with few backends, and its rings, threads and sockets. */
const reserve = 96 * MiB;

/** Longer answers are not cached: over UDP there are none (https://www.dnsflagday.net/2020/). */
const maxEntry = 1536;
/** What an entry takes beside its answer. */
const overhead = 256;
/** Of a connection with TLS that waits for nothing. */
const connection = 64 * KiB;

/** The maximum number of answers in the cache of a container with `memory` bytes. */
export const cacheEntries = (memory: number): number =>
  Math.min(1_000_000, Math.max(1000, Math.floor((Math.max(0, memory - reserve) * 0.5) / (maxEntry + overhead))));

export const maximumEntrySize = maxEntry;

/** The maximum number of connections of each listener. */
export const connectionsOf = (memory: number): number =>
  Math.min(2000, Math.max(50, Math.floor(memory / 16 / connection)));

/** Settings that keep dnsdist below `memory` bytes, whatever clients send. */
export function tuningOf(memory: number) {
  return {
    tcp: {
      worker_threads: 2,
      max_queued_connections: 1000,
      max_connections_per_client: Math.max(20, Math.floor(connectionsOf(memory) / 4)),
      max_queries_per_connection: 10_000,
      // In seconds, so that waiting clients get a connection; a client reconnects (RFC 7766 section 6.2.3).
      max_connection_duration: 300,
    },
    udp: {
      // By default dnsdist prepares for 65,536 questions at once to each backend, which takes 30 MiB.
      max_outstanding_per_backend: 8192,
    },
    doh: { outgoing_worker_threads: 1 },
  };
}
