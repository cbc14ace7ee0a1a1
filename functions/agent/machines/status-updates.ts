import { sourceResources } from '../../contract/source-kinds.ts';
import type { NameState } from '../../contract/verdict.ts';
import { absolute } from '../../dns/name.ts';
import { kindLabelOf } from '../discovery/resource-label.ts';
import { monotonicNow, sameTime, type TimeOf } from '../lib/clock.ts';
import { Memo, MemoByKey } from '../lib/memo.ts';
import { keyOf } from '../powerdns/rrset.ts';
import { answerFor } from './computed-answer.ts';
import type { PublishedAnswer } from './health.ts';
import type { CheckedClaim, HealthWatch } from './health-watch.ts';
import { LastUpdates } from './last-updates.ts';
import type { ObjectOutcome } from './outcomes.ts';
import type { SeenEntries } from './seen-entries.ts';
import { type ClaimEntry, claimEntry, type MachineEntry, machineEntry } from './status-entry.ts';
import type { StatusUpdate } from './status-queue.ts';
import type { Translated } from './translated.ts';

export interface StatusUpdatesOptions {
  /** The name of the InternalDNS. */
  instance: () => string;
  seen: Pick<SeenEntries, 'get' | 'version'>;
  health: Pick<HealthWatch, 'healthOf' | 'answersOf' | 'version'>;
  now?: () => number;
  timeOf?: TimeOf;
}

/** What the status of each Machine and claim should say. */
export class StatusUpdates {
  readonly #options: Required<StatusUpdatesOptions>;
  readonly #updates = new LastUpdates();
  readonly #byOutcome = new MemoByKey<ObjectOutcome, StatusUpdate>();
  readonly #claims = new Memo<readonly CheckedClaim[]>();

  constructor(options: StatusUpdatesOptions) {
    this.#options = { now: monotonicNow, timeOf: sameTime, ...options };
  }

  /** The same array until something changes. */
  of(outcomes: readonly ObjectOutcome[]): readonly StatusUpdate[] {
    const { instance, seen, health } = this.#options;
    return this.#updates.get([outcomes, instance(), seen.version, health.version], () =>
      outcomes.map((outcome) => this.#updateOf(outcome)),
    );
  }

  /** The entries of a kind that is no source any more go. */
  removals(): readonly StatusUpdate[] {
    return this.#updates.removals();
  }

  /** The claims whose members may be checked. The same array until something changes. */
  claims(outcomes: readonly ObjectOutcome[]): readonly CheckedClaim[] {
    return this.#claims.get([outcomes], () =>
      outcomes.flatMap(({ translated, states }) => {
        const { resource } = translated.object;
        if (!isClaim(translated)) return [];
        const current = this.#options.seen.get(resource) as ClaimEntry | undefined;
        return [{ resource, published: publishedAnswers(translated, states), current }];
      }),
    );
  }

  #updateOf(outcome: ObjectOutcome): StatusUpdate {
    const { instance, seen, health } = this.#options;
    const { translated } = outcome;
    const { resource, namespace, name } = translated.object;
    const current = seen.get(resource) as MachineEntry | ClaimEntry | undefined;
    const isChecked = isClaim(translated);
    return this.#byOutcome.get(outcome, [instance(), current, isChecked && health.version], () => ({
      kind: isChecked ? 'NameClaim' : 'Machine',
      namespace,
      name,
      current,
      entry: isChecked ? this.#claimEntry(outcome, current) : this.#machineEntry(outcome, current),
    }));
  }

  #machineEntry({ translated, states, reverse }: ObjectOutcome, current: MachineEntry | undefined): MachineEntry {
    return machineEntry(translated, { ...this.#context, states, reverse }, current);
  }

  #claimEntry({ translated, states }: ObjectOutcome, current: ClaimEntry | undefined): ClaimEntry {
    const { health } = this.#options;
    const { resource } = translated.object;
    const healthOf = (address: string) => health.healthOf(resource, address);
    return claimEntry(translated, { ...this.#context, states, healthOf, answers: health.answersOf(resource) }, current);
  }

  get #context(): { instance: string; now: string } {
    const { instance, now, timeOf } = this.#options;
    return { instance: instance(), now: new Date(timeOf(now())).toISOString() };
  }
}

const isClaim = ({ object }: Translated): boolean => kindLabelOf(object.resource) === sourceResources.NameClaim.label;

/** With what the name that the members share is answered, if it is. */
function publishedAnswers(
  { endpoints, finding, answers }: Translated,
  states: readonly NameState[],
): PublishedAnswer[] {
  const resolved = new Set(states.filter(({ verdict }) => verdict === 'Resolved').map(({ name }) => absolute(name)));
  const ofMembers = new Set(
    (finding.members ?? []).flatMap(({ name }) => (name === undefined ? [] : [absolute(name)])),
  );
  return endpoints.flatMap(({ dnsName, recordType, targets }): PublishedAnswer[] => {
    const name = absolute(dnsName);
    if (!resolved.has(name) || ofMembers.has(name) || (recordType !== 'A' && recordType !== 'AAAA')) return [];
    const computed = answers.get(keyOf({ name, type: recordType }));
    return [{ type: recordType, values: targets, answer: computed ? answerFor(targets, computed) : {} }];
  });
}
