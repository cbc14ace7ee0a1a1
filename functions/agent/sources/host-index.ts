import { isDeepStrictEqual } from 'node:util';
import { parentOf } from '../../dns/name.ts';
import { isBeyond } from './host-limit.ts';
import type { Claim } from './source-object.ts';

/** Claims by their object and by their hosts, and apart from them those that a filter leaves out. */
export class ClaimIndex {
  readonly #claims = new Map<string, Claim>();
  readonly #changedAt = new Map<string, number>();
  readonly #leftOut = new Map<string, readonly Claim[]>();
  readonly #at = new ByName();
  /** By the name above those that are claimed. */
  readonly #below = new ByName();
  /** Those with more hosts than count. */
  readonly #excessive = new Set<Claim>();
  #version = 0;
  #revision = 0;

  get version(): number {
    return this.#version;
  }

  /** Another one also after a change of what is left out. */
  get revision(): number {
    return this.#revision;
  }

  /** Notes that something has changed beside the claims. */
  touch(): void {
    this.#version++;
    this.#revision++;
  }

  /**
   * Puts the claims of an object, of which one is not left out at the most, in the place of those that it had.
   * @param changedAt when the object became another one, in milliseconds since 1970; undefined if it is only seen now
   */
  set(resource: string, claims: readonly Claim[], changedAt?: number): void {
    const claim = claims.find(({ leftOut }) => leftOut === undefined);
    this.#setLeftOut(resource, claim ? claims.filter((other) => other !== claim) : claims);
    const before = this.#claims.get(resource);
    if (isDeepStrictEqual(claim, before)) return;
    this.touch();
    if (before) this.#remove(before);
    if (claim) this.#add(claim);
    if (claim && changedAt !== undefined) this.#changedAt.set(resource, changedAt);
    else this.#changedAt.delete(resource);
  }

  of(resource: string): Claim | undefined {
    return this.#claims.get(resource);
  }

  /** Also one that a filter leaves out. */
  known(resource: string): Claim | undefined {
    return this.#claims.get(resource) ?? this.#leftOut.get(resource)?.[0];
  }

  changedAt(resource: string): number | undefined {
    return this.#changedAt.get(resource);
  }

  on(name: string): readonly Claim[] {
    const above = parentOf(name);
    const beyond = this.#excessive.size > 0 ? [...this.#excessive].filter((claim) => isBeyond(claim, name)) : [];
    const [at, below] = [this.#at.get(name), this.#below.get(above)];
    return below.length + beyond.length === 0 ? at : [...new Set([...at, ...below, ...beyond])];
  }

  all(): Iterable<Claim> {
    return this.#claims.values();
  }

  leftOut(): Iterable<Claim> {
    return [...this.#leftOut.values()].flat();
  }

  leftOutOf(resource: string): readonly Claim[] {
    return this.#leftOut.get(resource) ?? [];
  }

  #setLeftOut(resource: string, claims: readonly Claim[]): void {
    if (isDeepStrictEqual(claims, this.#leftOut.get(resource) ?? [])) return;
    this.#revision++;
    if (claims.length === 0) this.#leftOut.delete(resource);
    else this.#leftOut.set(resource, claims);
  }

  #add(claim: Claim): void {
    this.#claims.set(claim.resource, claim);
    if (claim.excess) this.#excessive.add(claim);
    for (const host of claim.hosts) {
      this.#at.add(host, claim);
      if (claim.below) this.#below.add(host, claim);
    }
  }

  #remove(claim: Claim): void {
    this.#claims.delete(claim.resource);
    this.#excessive.delete(claim);
    for (const host of claim.hosts) {
      this.#at.remove(host, claim);
      if (claim.below) this.#below.remove(host, claim);
    }
  }
}

/** Nearly every name has one claim: it is kept without a list around it. */
class ByName {
  readonly #claims = new Map<string, Claim | Claim[]>();

  get(name: string): readonly Claim[] {
    const there = this.#claims.get(name);
    if (!there) return [];
    return Array.isArray(there) ? there : [there];
  }

  /** In place: so that a name of a thousand claims is not copied a thousand times. */
  add(name: string, claim: Claim): void {
    const there = this.#claims.get(name);
    if (!there) this.#claims.set(name, claim);
    else if (Array.isArray(there)) there.push(claim);
    else this.#claims.set(name, [there, claim]);
  }

  remove(name: string, claim: Claim): void {
    const left = this.get(name).filter((other) => other !== claim);
    const [first] = left;
    if (!first) this.#claims.delete(name);
    else this.#claims.set(name, left.length === 1 ? first : left);
  }
}
