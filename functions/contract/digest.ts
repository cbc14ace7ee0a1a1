import { hash } from 'node:crypto';

/**
 * The first 16 hex digits of a text's SHA-256, 64 bits: short enough for names, labels and annotations. Persisted in
 * clusters, so the algorithm and the length stay.
 */
export const shortDigest = (text: string): string => hash('sha256', text, 'hex').slice(0, 16);
