import { isDeepStrictEqual } from 'node:util';
import type { NameState } from '../../contract/verdict.ts';
import { isOwn } from '../discovery/resource-label.ts';
import { areSame, Memo } from '../lib/memo.ts';
import type { ReverseFinding } from './reverse.ts';
import type { Translated } from './translated.ts';
import type { Translation } from './translation.ts';

/** What became of a Machine or a claim. The same object until something of it changes. */
export interface ObjectOutcome {
  translated: Translated;
  /** The verdicts on its hosts, sorted by name. */
  states: readonly NameState[];
  /** Of a Machine: the PTR records of the addresses that are published. */
  reverse: readonly ReverseFinding[];
}

export interface OutcomesInput {
  translation: Translation;
  /** Of all names. */
  states: readonly NameState[];
  /** By Machine. */
  reverse: ReadonlyMap<string, readonly ReverseFinding[]>;
}

/** Keeps what became of each object, for those who write it into statuses. */
export class Outcomes {
  readonly #outcomes = new Memo<readonly ObjectOutcome[]>();
  #last: readonly ObjectOutcome[] = [];
  #byResource: ReadonlyMap<string, ObjectOutcome> = new Map();

  /** Machines first, the oldest of each kind first. The same array until something changes. */
  of({ translation, states, reverse }: OutcomesInput): readonly ObjectOutcome[] {
    return this.#outcomes.get([translation, states, reverse], () => {
      const byResource = Map.groupBy(
        states.filter(({ resource }) => isOwn(resource)),
        ({ resource }) => resource,
      );
      const outcomes = [...translation.machines, ...translation.others].map((translated) => {
        const { resource } = translated.object;
        const own = byResource.get(resource) ?? [];
        const before = this.#byResource.get(resource);
        const after = { translated, states: own, reverse: reverse.get(resource) ?? [] };
        return before && isSame(before, after) ? before : after;
      });
      this.#byResource = new Map(outcomes.map((each) => [each.translated.object.resource, each]));
      if (!areSame(outcomes, this.#last)) this.#last = outcomes;
      return this.#last;
    });
  }
}

const isSame = (before: ObjectOutcome, after: ObjectOutcome) =>
  before.translated === after.translated &&
  areSame(before.states, after.states) &&
  isDeepStrictEqual(before.reverse, after.reverse);
