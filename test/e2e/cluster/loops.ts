/** What the run's watcher knows of the servers: see watcher.ts. */
import { inject } from 'vitest';
import type { Disturbance, Scope } from './watcher.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL at which the watcher of the run answers. */
    watcher: string;
  }
}

async function ask(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${inject('watcher')}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return response.json();
}

/**
 * Waits until every ExternalDNS of an instance has looked once more and found nothing to do: what it has not done by then,
 * it does not do. Whoever changes something waits for its answer first: ExternalDNS may be in the middle of a loop.
 */
export async function anotherLoop(instance: string): Promise<void> {
  const writes = await ask('/looked', instance);
  if (Array.isArray(writes)) {
    const last = [...new Set(writes)].slice(-3).join(', ') || 'nothing';
    throw new Error(
      `ExternalDNS of ${instance} had no loop without anything to do; ${writes.length} writes meanwhile: ${last}`,
    );
  }
}

/** Does something to an instance that its server may answer with a write, and that the watcher cannot see. */
export async function disturbing<T>(instance: string, work: () => Promise<T>): Promise<T> {
  const from = Date.now();
  try {
    return await work();
  } finally {
    await ask('/disturbed', { instance, from, to: Date.now() } satisfies Disturbance);
  }
}

/** Writes into PowerDNS that nothing has led to, since the run began. */
export const writesWithoutCause = (scope: Scope) => ask('/findings', scope) as Promise<string[]>;
