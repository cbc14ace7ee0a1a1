import type { Declaration, DeclaredZone } from '../../contract/declaration.ts';
import type { ZoneFiles } from './zone-file.ts';

/** A zone that is served: of the spec, or a team's own. */
export interface ServedZone extends DeclaredZone {
  /** The Zone that declares it, as `zone/shop/corp`. Absent for a zone of the spec. */
  resource?: string;
}

/** A declaration with the zones of teams, which come after those of the spec. */
export interface ServedDeclaration extends Declaration {
  zones: ServedZone[];
}

/** A declaration with its zone files and the zones of teams, and the hash of its text. */
export interface LoadedDeclaration {
  hash: string;
  declaration: ServedDeclaration;
  /** What discovery needs of it: the same object while nothing but records changes in the zones of teams. */
  outline: ServedDeclaration;
  files: ZoneFiles;
}

export const isOfTeam = ({ resource }: ServedZone): boolean => resource !== undefined;

/** The share of all records that the zones of teams can have, so that no spec fails for what teams declare. */
export const teamShare = 1 / 4;
