/**
 * The zone of the agents' self-test, which every server has. One of its own, because each write increments the serial of
 * its zone. No user zone is under `.invalid` (RFC 6761 section 6.4), and no client queries it.
 */
export const canaryZone = 'canary.internal-dns.invalid.';
