import { type LabelSelector, matchesSelector } from '../../contract/label-selector.ts';
import type { Machine } from '../sources/own-object.ts';

/** The Machines of one namespace, in the order in which they were added. */
interface NamespaceMachines {
  all: Machine[];
  /** By label, `role=mail`. A key has no equals sign. */
  byLabel: Map<string, Machine[]>;
}

/**
 * Finds Machines by their labels. A claim looks at those alone that have one of the labels that it requires: a hundred
 * claims over a thousand Machines take milliseconds.
 */
export class MachineIndex {
  readonly #namespaces = new Map<string, NamespaceMachines>();

  constructor(machines: Iterable<Machine>) {
    for (const machine of machines) {
      const namespace = getOrSet(this.#namespaces, machine.namespace, () => ({ all: [], byLabel: new Map() }));
      namespace.all.push(machine);
      for (const [key, value] of Object.entries(machine.labels)) {
        getOrSet(namespace.byLabel, `${key}=${value}`, (): Machine[] => []).push(machine);
      }
    }
  }

  /** The namespaces that have Machines. */
  namespaces(): Iterable<string> {
    return this.#namespaces.keys();
  }

  /** Returns the Machines of a namespace that match, in the order of the index. */
  select(namespace: string, selector: LabelSelector): Machine[] {
    const machines = this.#namespaces.get(namespace);
    if (!machines) return [];
    return candidates(machines, selector).filter(({ labels }) => matchesSelector(selector, labels));
  }
}

/** The shortest list with all Machines that can match. */
function candidates({ all, byLabel }: NamespaceMachines, { matchLabels = {} }: LabelSelector): Machine[] {
  const lists = Object.entries(matchLabels).map(([key, value]) => byLabel.get(`${key}=${value}`) ?? []);
  return lists.reduce((shortest, list) => (list.length < shortest.length ? list : shortest), all);
}

function getOrSet<V>(map: Map<string, V>, key: string, make: () => V): V {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const made = make();
  map.set(key, made);
  return made;
}
