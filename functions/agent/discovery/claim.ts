/** What one object asks for, as far as it can be read off the object itself. */
export interface Claim {
  /** As ExternalDNS labels its wishes: `ingress/shop/web`. */
  resource: string;
  /** Empty for an object that has none, such as a Node. */
  namespace: string;
  /** When the object was made: RFC 3339 in UTC, so that texts compare like times. */
  created: string;
  /** Absolute names, in lower case. */
  hosts: readonly string[];
  /** What it answers with: canonical addresses and absolute names. Undefined where that is not in the object. */
  targets?: readonly string[];
}

/** Every object that asks for names, as the cluster has them. */
export interface Claims {
  /** Whether objects of a kind, as in `ingress/shop/web`, are seen at all. */
  sees(resource: string): boolean;
  /** The object of that name, if it asks for something. */
  of(resource: string): Claim | undefined;
  /** Those who ask for an absolute name. */
  on(name: string): readonly Claim[];
  /** All those that have no target of their own. */
  addressless(): readonly Claim[];
  /** The labels of a namespace; undefined while they are not known. */
  labelsOf(namespace: string): Readonly<Record<string, string>> | undefined;
}

/** Where nothing of the cluster is seen. */
export const unseen: Claims = {
  sees: () => false,
  of: () => undefined,
  on: () => [],
  addressless: () => [],
  labelsOf: () => undefined,
};
