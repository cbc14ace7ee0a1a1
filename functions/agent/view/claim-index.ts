import type { Claim } from '../discovery/claim.ts';

/** Claims by their object and by their hosts. */
export class ClaimIndex {
  readonly #claims = new Map<string, Claim>();
  readonly #at = new ByName();
  /** By the name above those that are claimed. */
  readonly #below = new ByName();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  /** Notes that something has changed beside the claims. */
  touch(): void {
    this.#version++;
  }

  /** Puts a claim in the place of the one that the object had; undefined takes that away. */
  set(resource: string, claim: Claim | undefined): void {
    this.touch();
    const before = this.#claims.get(resource);
    for (const host of before?.hosts ?? []) {
      this.#at.remove(host, before as Claim);
      if (before?.below) this.#below.remove(host, before);
    }
    if (!claim) return void this.#claims.delete(resource);
    this.#claims.set(resource, claim);
    for (const host of claim.hosts) {
      this.#at.add(host, claim);
      if (claim.below) this.#below.add(host, claim);
    }
  }

  of(resource: string): Claim | undefined {
    return this.#claims.get(resource);
  }

  on(name: string): readonly Claim[] {
    const above = name.slice(name.indexOf('.') + 1);
    return [...new Set([...this.#at.get(name), ...this.#below.get(above)])];
  }

  all(): Iterable<Claim> {
    return this.#claims.values();
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

  add(name: string, claim: Claim): void {
    this.#keep(name, [...this.get(name), claim]);
  }

  remove(name: string, claim: Claim): void {
    this.#keep(
      name,
      this.get(name).filter((other) => other !== claim),
    );
  }

  #keep(name: string, claims: Claim[]): void {
    const [first] = claims;
    if (!first) this.#claims.delete(name);
    else this.#claims.set(name, claims.length === 1 ? first : claims);
  }
}
