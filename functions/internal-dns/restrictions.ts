import type { Flags, FlagValues } from '../cdk8s-function-xp/composition.ts';
import { hostLabel } from '../contract/host-rules.ts';
import { type Spec, SpecError } from './spec.ts';

/** What the administrator of the function leaves to those who may create an InternalDNS. */
export interface Restrictions {
  /** Where none may run, beside those that no spec may name. */
  reservedNamespaces: readonly string[];
  /** What containers run unless the spec says otherwise; one that is left out is the version's own. */
  images: Partial<Record<Part, string>>;
  /** Whether a spec may say otherwise. */
  imagesAreLocked: boolean;
}

const parts = { powerdns: 'powerdns-image', externalDNS: 'external-dns-image', agent: 'agent-image' } as const;
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
  'lock-images': { type: 'boolean', help: 'reject an InternalDNS that sets images' },
} satisfies Flags;

/** Throws when a flag makes no sense. `POD_NAMESPACE`, where the function and Crossplane run, is always reserved. */
export function restrictionsOf(flags: FlagValues, env: NodeJS.ProcessEnv): Restrictions {
  const text = (flag: keyof typeof restrictionFlags) => (flags[flag] as string | undefined)?.trim();
  const listed = [env.POD_NAMESPACE ?? '', ...(text('reserved-namespaces') ?? '').split(',')];
  const named = listed.map((name) => name.trim()).filter((name) => name !== '');
  const wrong = named.find((name) => !new RegExp(`^${hostLabel}$`).test(name));
  if (wrong !== undefined) {
    throw new Error(
      `cannot read --reserved-namespaces: ${JSON.stringify(wrong)} is not the name of a namespace: write a,b`,
    );
  }
  const images: Restrictions['images'] = {};
  for (const part of Object.keys(parts) as Part[]) {
    const image = text(parts[part]);
    if (image === '') throw new Error(`cannot read --${parts[part]}: it is empty: name an image, or leave it out`);
    if (image !== undefined) images[part] = image;
  }
  return {
    reservedNamespaces: named,
    images,
    imagesAreLocked: flags['lock-images'] === true,
  };
}

/** The spec with the administrator's images where it says nothing. Throws an error that names each field that it may not say. */
export function restrict(spec: Spec, { reservedNamespaces, images, imagesAreLocked }: Restrictions): Spec {
  const chosen = Object.keys(parts).filter((part) => spec.images[part as Part] !== undefined);
  const faults = imagesAreLocked
    ? chosen.map((part) => `spec.images.${part}: the function's administrator chooses the images: leave it out`)
    : [];
  if (reservedNamespaces.includes(spec.namespace)) {
    const cure = 'use internal-dns or one of your own';
    faults.unshift(`spec.namespace: ${spec.namespace} is reserved by the function's administrator: ${cure}`);
  }
  if (faults.length > 0) throw new SpecError(faults);
  return { ...spec, images: { ...spec.images, ...images, ...stated(spec.images) } };
}

const stated = (images: Spec['images']) =>
  Object.fromEntries(Object.entries(images).filter(([, image]) => image !== undefined));
