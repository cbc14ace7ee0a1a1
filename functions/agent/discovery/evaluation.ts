import type { DeclaredDiscovery } from '../../contract/declaration.ts';
import type { Reason } from '../../contract/verdict.ts';
import type { RRset } from '../powerdns/rrset.ts';
import type { SourceLister } from '../sources/source-object.ts';
import type { DesiredRecord } from './desired-records.ts';
import type { NameContext, Owns } from './name-context.ts';
import type { Names } from './names-below.ts';
import type { NameRestrictions, Restriction } from './tenancy.ts';

/** The outcome for all desired records of one ExternalDNS. */
export interface Evaluation {
  /** The records to publish. ExternalDNS deletes every current record that is not among them. */
  accepted: RRset[];
  /** Sorted, so that the order of the desired records changes nothing. */
  refused: RejectedRecord[];
  /** Current records that close a CNAME loop: they are deleted whatever the policy. */
  looping: RRset[];
}

/** The outcome for the desired records of one name. */
export interface NameEvaluation {
  accepted: RRset[];
  /** The accepted records, and the current ones that the policy keeps beside them or instead. Preview shows those of Sync. */
  published: RRset[];
  refused: RejectedRecord[];
  /** The provider's RRsets at the name before the evaluation. */
  current: RRset[];
  /** Desired records that are part of an accepted RRset without being the one that it is marked for. */
  merged: RRset[];
  /** Current records that close a CNAME loop. */
  looping: RRset[];
}

/** A desired record that is not published. */
export interface RejectedRecord extends Reason {
  rrset: DesiredRecord;
  /** Whether the record conflicts only with another type of the same object. */
  isOwn?: boolean;
  /** Why the other object has precedence, as a relative clause about it: `which is older`. */
  because?: string;
}

/** What all checks of an evaluation have in common. */
export interface EvaluationContext {
  discovery: DeclaredDiscovery;
  owns: Owns;
  /** By what the rejected record would have answered. */
  rejections: ReadonlyMap<string, PowerDNSRejection>;
  lister: SourceLister;
  restrictions: NameRestrictions;
  /** What has been accepted so far, by absolute name: see `inDependencyOrder`. */
  accepted: Names;
  /** The namespaces whose quota is exhausted without this name. */
  exhausted?: ReadonlySet<string> | undefined;
  /** The targets that would close a CNAME loop from this name. */
  looping?: LoopingTargets | undefined;
}

/** A change that PowerDNS refused. It is not sent again while the desired record and its name stay the same. */
export interface PowerDNSRejection {
  rrset: RRset;
  /** In PowerDNS's own words. */
  message: string;
  /** The RRsets at the name when PowerDNS refused. */
  beside: RRset[];
}

/** Why the CNAMEs of a name may not have a target. */
export interface LoopingTargets {
  byTarget: ReadonlyMap<string, string>;
  /** Set if the name may not have any CNAME. */
  everyTarget?: string | undefined;
}

/** Everything that a check may look at. */
export interface CheckInput {
  desired: DesiredRecord;
  nameContext: NameContext;
  context: EvaluationContext;
  /** Why reserved names or tenants deny the name to the object. */
  restriction: Restriction | undefined;
}

/** Returns what is wrong with a desired record, whoever else wants the name. */
export type Check = (input: CheckInput) => Violation | undefined;

/** Why a desired record cannot be published. */
export interface Violation extends Reason {
  /** The object may not have the name, so its current record does not defend it against other objects. */
  isForbidden?: boolean;
  /** The object's current record is deleted, too, where other violations leave it as it is. */
  isFinal?: boolean;
}
