import { isCounted, type Verdict } from '../../../contract/verdict.ts';
import type { Overview } from '../../names/overview.ts';
import { type Html, html } from './html.ts';

/** How grave it is, as a colour and a sign say; the word beside them says it too. */
type Tone = 'good' | 'waiting' | 'bad' | 'apart';

const state = (word: string, tone: Tone): Html => html`<span class="state ${tone}">${word}</span>`;

export function verdictState(verdict: Verdict): Html {
  if (verdict === 'Resolved') return state(verdict, 'good');
  if (verdict === 'Pending') return state(verdict, 'waiting');
  return state(verdict, isCounted(verdict) ? 'bad' : 'apart');
}

const ofZone = { Serving: 'good', Pending: 'waiting', Failed: 'bad', Retained: 'apart' } as const;
export const zoneState = (word: Overview['zones'][number]['state']) => state(word, ofZone[word]);

const ofDiscovery = { Synced: 'good', Waiting: 'waiting', Stalled: 'bad', Failing: 'bad', Off: 'apart' } as const;
export const discoveryState = (word: Overview['discovery']['state']) => state(word, ofDiscovery[word]);

export const resolutionState = (word: NonNullable<Overview['resolution']>['state'] | undefined) =>
  word === undefined ? state('Unknown', 'waiting') : state(word, word === 'Serving' ? 'good' : 'bad');
