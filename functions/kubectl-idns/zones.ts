import { printable } from '../contract/printable.ts';
import type { InternalDNS } from './instance.ts';
import { type Output, table } from './output.ts';

/** Lists the zones, and what their parents need, from the InternalDNS's status. */
export function zones({ metadata: { name: instance }, status }: InternalDNS): Output {
  const all = status.zones ?? [];
  if (all.length === 0)
    return {
      lines: [`no zone has a state yet: see kubectl describe internaldns ${printable(instance)}`],
      json: { instance, zones: all },
    };
  return {
    lines: [
      ...table(['ZONE', 'STATE', 'MESSAGE'], ...all.map(({ name, state, message = '' }) => [name, state, message])),
      ...all.flatMap(({ name, delegation }) =>
        delegation?.length
          ? ['', `The parent of ${printable(name)} needs:`, ...delegation.map((line) => `  ${printable(line)}`)]
          : [],
      ),
    ],
    json: { instance, zones: all },
  };
}
