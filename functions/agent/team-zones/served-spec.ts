import { type Declaration, declaration as declarationSchema, hashOf } from '../../contract/declaration.ts';
import { shortDigest } from '../../contract/digest.ts';
import { hasZones } from '../discovery/scope.ts';
import { Memo } from '../lib/memo.ts';
import { parse } from '../lib/parse.ts';
import type { Inventory } from '../sources/own-object.ts';
import type { LoadedDeclaration, ServedDeclaration, ServedZone } from '../zones/served-declaration.ts';
import { besideSpec } from './acceptance.ts';
import { outlineOf } from './served-zones.ts';
import type { TeamZones } from './team-zones.ts';

/** The share of the time that taking in new Zones may take: teams change them whenever they want. */
const adoptShare = 0.2;

/** What is to be served: the zones of the spec, followed by those of teams. */
export class ServedSpec {
  readonly #teamZones: TeamZones;
  readonly #now: () => number;
  /** As the function wrote it. */
  #spec: Pick<LoadedDeclaration, 'hash' | 'declaration' | 'files'> | undefined;
  /** Of the text of the spec. */
  #digest: string | undefined;
  /** When Zones are looked at again, and the spec that they were last looked at with. */
  #due: { at: number; spec?: Declaration } = { at: Number.NEGATIVE_INFINITY };
  readonly #loaded = new Memo<LoadedDeclaration | undefined>();
  readonly #outline = new Memo<ServedDeclaration>();

  constructor(teamZones: TeamZones, now: () => number) {
    this.#teamZones = teamZones;
    this.#now = now;
  }

  /** Without the zones of teams. */
  get declaration(): Declaration | undefined {
    return this.#spec?.declaration;
  }

  /** The same until something changes. */
  get loaded(): LoadedDeclaration | undefined {
    const spec = this.#spec;
    const { zones: ofTeams } = this.#teamZones;
    return this.#loaded.get([spec, ofTeams], () => {
      if (!spec) return undefined;
      const zones = besideSpec(ofTeams, spec.declaration);
      if (zones.length === 0) return { ...spec, outline: spec.declaration };
      const served = (own: readonly ServedZone[]): ServedDeclaration => ({
        ...spec.declaration,
        zones: [...spec.declaration.zones, ...own],
      });
      const outlines = zones.map(outlineOf);
      const outline = this.#outline.get([spec.declaration, JSON.stringify(outlines)], () => served(outlines));
      return { ...spec, declaration: served(zones), outline };
    });
  }

  /** Returns the declaration if it has changed. Throws if the text is none. */
  set(text: string): Declaration | undefined {
    const digest = shortDigest(text);
    if (digest === this.#digest) return undefined;
    const declaration = parse(text, declarationSchema);
    this.#spec = { hash: hashOf(text), declaration, files: this.#spec?.files ?? new Map() };
    this.#digest = digest;
    return declaration;
  }

  setFiles(files: LoadedDeclaration['files']): void {
    if (this.#spec) this.#spec = { ...this.#spec, files: new Map(files) };
  }

  /** Whether Zones have changed. `Waiting`: `adopt` would not take them in yet. */
  newZones(inventory: Inventory | undefined): 'None' | 'Waiting' | 'Due' {
    if (!hasZones(this.declaration?.discovery) || !this.#teamZones.isBehind(inventory)) return 'None';
    return this.#now() >= this.#due.at ? 'Due' : 'Waiting';
  }

  /**
   * Takes in Zones that have changed, but not all the time: each costs a plan. Returns whether other zones are served than
   * before.
   */
  async adopt(inventory: Inventory | undefined): Promise<boolean> {
    const { declaration } = this;
    if (!declaration || (this.#due.spec === declaration && this.#now() < this.#due.at)) return false;
    const { zones } = this.#teamZones;
    await this.#teamZones.adopt(declaration, inventory);
    this.#due.spec = declaration;
    return zones !== this.#teamZones.zones;
  }

  /** Records how long it took to serve what was taken in. @param ms since `adopt` */
  adopted(ms: number): void {
    this.#due.at = this.#now() + ms * (1 / adoptShare - 1);
  }
}
