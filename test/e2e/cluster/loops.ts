/** Queries the watcher of the run: see watcher.ts. */
import { inject } from 'vitest';
import type { Disturbance, Scope } from './watcher.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of the watcher of the run. */
    watcher: string;
  }
}

async function ask(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${inject('watcher')}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return response.json();
}

/**
 * Waits until every ExternalDNS of an instance has completed another loop without changes: what it has not done until then, it
 * will not do. After a change, wait for its answer first: ExternalDNS may be in the middle of a loop.
 */
export async function anotherLoop(instance: string): Promise<void> {
  const writes = await ask('/another-loop', instance);
  if (Array.isArray(writes)) {
    const last = [...new Set(writes)].slice(-3).join(', ') || 'nothing';
    throw new Error(
      `ExternalDNS of ${instance} completed no loop without changes; ${writes.length} writes meanwhile: ${last}`,
    );
  }
}

/** Does something to an instance that may cause a write of its server and that the watcher cannot see. */
export async function withDisturbance<T>(instance: string, work: () => Promise<T>): Promise<T> {
  const from = Date.now();
  try {
    return await work();
  } finally {
    await ask('/disturbance', { instance, from, to: Date.now() } satisfies Disturbance);
  }
}

/** Writes to PowerDNS without a cause since the run began. */
export const writesWithoutCause = (scope: Scope) => ask('/findings', scope) as Promise<string[]>;
