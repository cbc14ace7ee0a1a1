import type { Flags, FlagValues } from '../cdk8s-function-xp/composition.ts';
import { hostLabel } from '../contract/host-rules.ts';
import { type Spec, SpecError } from './spec.ts';

/** What the function's administrator allows in the spec of an InternalDNS. */
export interface Restrictions {
  /** Namespaces in which none can run, besides the built-in ones. */
  reservedNamespaces: readonly string[];
  /** Default images. An omitted one defaults to that of this version. */
  images: Partial<Record<Part, string>>;
  /** Whether a spec cannot set images. */
  imagesAreLocked: boolean;
}

const parts = {
  powerdns: 'powerdns-image',
  externalDNS: 'external-dns-image',
  agent: 'agent-image',
  dnsdist: 'dnsdist-image',
} as const;
type Part = keyof typeof parts;

export const unrestricted: Restrictions = { reservedNamespaces: [], images: {}, imagesAreLocked: false };

export const restrictionFlags = {
  'reserved-namespaces': {
    type: 'string',
    value: 'NAME,...',
    help: 'namespaces in which no InternalDNS may run, besides the built-in ones',
  },
  'powerdns-image': { type: 'string', value: 'IMAGE', help: 'image of PowerDNS unless spec.images.powerdns sets one' },
  'external-dns-image': {
    type: 'string',
    value: 'IMAGE',
    help: 'image of ExternalDNS unless spec.images.externalDNS sets one',
  },
  'agent-image': { type: 'string', value: 'IMAGE', help: 'image of the agent unless spec.images.agent sets one' },
  'dnsdist-image': { type: 'string', value: 'IMAGE', help: 'image of dnsdist unless spec.images.dnsdist sets one' },
  'lock-images': { type: 'boolean', help: 'reject an InternalDNS that sets images' },
} satisfies Flags;

/** Throws if a flag is invalid. `POD_NAMESPACE`, in which the function and Crossplane run, is always reserved. */
export function restrictionsOf(flags: FlagValues, env: NodeJS.ProcessEnv): Restrictions {
  const text = (flag: keyof typeof restrictionFlags) => (flags[flag] as string | undefined)?.trim();
  const listed = [env.POD_NAMESPACE ?? '', ...(text('reserved-namespaces') ?? '').split(',')];
  const reservedNamespaces = listed.map((name) => name.trim()).filter((name) => name !== '');
  const invalid = reservedNamespaces.find((name) => !new RegExp(`^${hostLabel}$`).test(name));
  if (invalid !== undefined) {
    throw new Error(
      `cannot read --reserved-namespaces: ${JSON.stringify(invalid)} is not the name of a namespace: write a,b`,
    );
  }
  const images: Restrictions['images'] = {};
  for (const part of Object.keys(parts) as Part[]) {
    const image = text(parts[part]);
    if (image === '') throw new Error(`cannot read --${parts[part]}: it is empty: name an image, or leave it out`);
    if (image !== undefined) images[part] = image;
  }
  return {
    reservedNamespaces,
    images,
    imagesAreLocked: flags['lock-images'] === true,
  };
}

/** The spec with the administrator's images as defaults. Throws a SpecError with each field that is not allowed. */
export function restrict(spec: Spec, { reservedNamespaces, images, imagesAreLocked }: Restrictions): Spec {
  const chosen = Object.keys(parts).filter((part) => spec.images[part as Part] !== undefined);
  const issues = imagesAreLocked
    ? chosen.map((part) => `spec.images.${part}: the function's administrator chooses the images: leave it out`)
    : [];
  if (reservedNamespaces.includes(spec.namespace)) {
    const cure = 'use internal-dns or one of your own';
    issues.unshift(`spec.namespace: ${spec.namespace} is reserved by the function's administrator: ${cure}`);
  }
  if (issues.length > 0) throw new SpecError(issues);
  return { ...spec, images: { ...spec.images, ...images, ...withoutUndefined(spec.images) } };
}

const withoutUndefined = (images: Spec['images']) =>
  Object.fromEntries(Object.entries(images).filter(([, image]) => image !== undefined));
