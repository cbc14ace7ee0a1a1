import { isCounted, type Verdict } from '../../../contract/verdict.ts';
import type { Overview } from '../../names/overview.ts';
import { type Html, html } from './html.ts';

/** A colour and a symbol. The word next to them carries the same information. */
type Tone = 'good' | 'waiting' | 'bad' | 'neutral';

const state = (word: string, tone: Tone): Html => html`<span class="state ${tone}">${word}</span>`;

export function verdictState(verdict: Verdict): Html {
  if (verdict === 'Resolved') return state(verdict, 'good');
  if (verdict === 'Pending') return state(verdict, 'waiting');
  return state(verdict, isCounted(verdict) ? 'bad' : 'neutral');
}

const zoneTones = { Serving: 'good', Pending: 'waiting', Failed: 'bad', Retained: 'neutral' } as const;
export const zoneState = (word: Overview['zones'][number]['state']) => state(word, zoneTones[word]);

const discoveryTones = { Synced: 'good', Waiting: 'waiting', Stalled: 'bad', Failing: 'bad', Off: 'neutral' } as const;
export const discoveryState = (word: Overview['discovery']['state']) => state(word, discoveryTones[word]);

export const resolutionState = (word: NonNullable<Overview['resolution']>['state'] | undefined) =>
  word === undefined ? state('Unknown', 'waiting') : state(word, word === 'Serving' ? 'good' : 'bad');

export const waysInState = (word: 'Incomplete') => state(word, 'bad');
