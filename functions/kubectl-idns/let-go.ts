import { createInterface } from 'node:readline';
import { letGoAnnotation } from '../contract/declaration.ts';
import { printable } from '../contract/printable.ts';
import type { Listing } from './agent.ts';
import { Failure } from './failure.ts';
import { cureOfInternalDNS, type InternalDNS, resource } from './instance.ts';
import type { Kubectl } from './kubectl.ts';
import { count, type Output, table } from './output.ts';

export interface LetGoOptions {
  kubectl: Kubectl;
  instance: InternalDNS;
  /** What the guard holds is shown before the question. */
  listing: Listing;
  /** When the listing was read: what is held later stays held. */
  at: Date;
  /** Release without a question. */
  yes?: boolean | undefined;
}

/** Releases what the delete guard holds. */
export async function letGo({ kubectl, instance, listing, at, yes = false }: LetGoOptions): Promise<Output> {
  const { name } = instance.metadata;
  const held = heldIn(listing);
  const since = listing.discovery.held?.since ?? instance.status.discovery?.heldSince;
  if (held.length === 0 && since === undefined)
    return { lines: [`the delete guard of ${name} holds no name`], json: { instance: name, held, released: false } };
  const shown = table(['NAME', 'OBJECT', 'MESSAGE'], ...held.map((each) => [each.name, each.resource, each.message]));
  if (!yes)
    await confirm(
      [...(held.length > 0 ? shown : []), ...(since ? [`held since ${printable(since)}`] : [])],
      held.length,
    );
  const time = at.toISOString();
  await kubectl.run(['annotate', resource, name, '--overwrite', `${letGoAnnotation}=${time}`], {
    action: `annotate InternalDNS ${name}`,
    cure: (message) => cureOfInternalDNS(message, 'get and patch'),
  });
  return {
    lines: [...(yes && held.length > 0 ? shown : []), `released: what the delete guard of ${name} held before ${time}`],
    json: { instance: name, held, released: true, before: time },
  };
}

/** The names whose objects have lost them, and, of those that vanished together, the first. */
function heldIn({ names, discovery }: Listing) {
  const rows = names
    // Without an address an object keeps its answers for a while.
    .filter(({ verdict, answers }) => verdict === 'Held' || (verdict === 'NoAddress' && answers.length > 0))
    .map(({ name, resource, message }) => ({ name, resource, message }));
  const listed = new Set(rows.map(({ name }) => name));
  const vanished = (discovery.held?.names ?? []).filter((name) => !listed.has(name));
  return [...rows, ...vanished.map((name) => ({ name, resource: '', message: 'deleted together with many others' }))];
}

/** Asks on standard error: standard output is the result. */
async function confirm(shown: readonly string[], names: number): Promise<void> {
  const what =
    names > 0 ? `Delete ${names === 1 ? 'this name' : `these ${count(names, 'name')}`}` : 'Delete what is held';
  process.stderr.write(`${shown.map((line) => `${line}\n`).join('')}${what} now? [y/N] `);
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) {
      if (/^\s*y(?:es)?\s*$/i.test(line)) return;
      break;
    }
  } finally {
    lines.close();
    process.stdin.unref?.();
  }
  throw new Failure('cannot release the names: not confirmed: answer y, or use --yes');
}
