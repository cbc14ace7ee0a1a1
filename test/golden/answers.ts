/** Writes the function's answers for an example to the text of a golden file, and reads them back. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { RunFunctionResponse } from '@crossplane-org/function-sdk-typescript';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { yamlOf } from '../crossplane.ts';
import { type JsonObject, patched, patchFrom } from './merge-patch.ts';

/** Composed objects with their readiness, by resource key. */
type Resources = Record<string, JsonObject>;

/** A response with its hashes masked. */
export interface Answer extends JsonObject {
  desired: { composite: JsonObject; resources: Resources };
}

export interface Answers {
  /** The names of the composite and of its first zone. */
  names: readonly [composite: string, zone: string];
  /** While no composed object exists yet. */
  first: Answer;
  /** When all composed objects are ready. */
  later: Answer;
}

export const namesOf = ({ metadata, spec }: KubernetesObject): Answers['names'] => [metadata.name, spec.zones[0].name];

// A missing or malformed hash is not masked. stamps.test.ts tests their values.
const hash = /"(cdk8s-function-xp\/desired|dns\.internal\/configuration)":"[0-9a-f]{16}"/g;

export const answerIn = (response: RunFunctionResponse): Answer =>
  JSON.parse(JSON.stringify(RunFunctionResponse.toJSON(response)).replace(hash, '"$1":"(hash)"'));

/** The golden file of minimal.yaml: both answers, the later one without the objects that are unchanged. */
export function wholeText({ first, later }: Answers): string {
  const before = first.desired.resources;
  const resources = mapValues(later.desired.resources, (value, key) => {
    const { resource, ...rest } = value;
    return isDeepStrictEqual(resource, before[key]?.resource) ? rest : value;
  });
  return textOf(wholeHeader, [first, { ...later, desired: { ...later.desired, resources } }]);
}

/** The golden file of any other example: its difference from `minimal`. */
export function differenceText({ names, first, later }: Answers, minimal: Answers): string {
  const renamed = Object.fromEntries(minimal.names.map((name, index) => [name, names[index]!]));
  const expected = renaming(minimal, renamed);
  return textOf(differenceHeader, [
    { renamed },
    differenceOf(expected.first, first),
    differenceOf(expectedLater(expected, first), later),
  ]);
}

/** The inverse of `differenceText`, given the same `minimal`. */
export function answersFrom(text: string, minimal: Answers): Answers {
  const documents = parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS());
  const [{ renamed }, ofFirst, ofLater] = documents as [{ renamed: Record<string, string> }, Difference, Difference];
  const { names, ...expected } = renaming(minimal, renamed);
  const first = withDifference(expected.first, ofFirst);
  return { names, first, later: withDifference(expectedLater(expected, first), ofLater) };
}

const wholeHeader = `\
The answers of the function for this example: first while no object exists, then when all are ready, where unchanged objects show only
their readiness. Hashes are masked. Every other golden file is a difference from this one.
Written by \`make golden\`: review the diff.`;

const differenceHeader = `\
How the function's answers for this example differ from those in minimal.yaml with its names replaced: first while no object exists,
then when all are ready, with objects compared to the first answer. Changes are JSON merge patches (RFC 7386), except that \`$by\` patches
the items of a list by that key, and \`$lines\` is a diff.
Written by \`make golden\`. Review: does the example explain each difference?`;

const textOf = (header: string, documents: object[]): string => `${header.replace(/^/gm, '# ')}\n${yamlOf(documents)}`;

/** `minimal` with its names replaced. */
function renaming(minimal: Answers, renamed: Record<string, string>): Answers {
  // The longest first: corp.internal begins with corp.
  const names = Object.keys(renamed).sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`\\b(${names.join('|').replaceAll('.', '\\.')})\\b`, 'g');
  return JSON.parse(JSON.stringify(minimal).replace(pattern, (name) => renamed[name]!));
}

/** The expected later answer: minimal's, with the objects of `first`, all ready, and those that only minimal's later answer has. */
function expectedLater(minimal: Omit<Answers, 'names'>, first: Answer): Answer {
  const { composite, resources } = minimal.later.desired;
  const { desired: before } = minimal.first;
  const coming = Object.fromEntries(Object.entries(resources).filter(([key]) => !(key in before.resources)));
  const ready = mapValues(first.desired.resources, (value) => ({ ...value, ready: 'READY_TRUE' }));
  return { ...minimal.later, desired: { composite, resources: { ...coming, ...ready } } };
}

/** The difference between two answers. */
interface Difference {
  /** New objects, whole. */
  new?: Resources;
  /** Keys of objects that are gone. */
  gone?: string[];
  /** A merge patch for each object that changes. */
  changed?: Resources;
  /** A merge patch for everything but the objects. */
  rest?: JsonObject;
}

function differenceOf(before: Answer, after: Answer): Difference {
  const [old, current] = [before.desired.resources, after.desired.resources];
  const { desired, ...rest } = (patchFrom(before, after) ?? {}) as JsonObject & { desired?: JsonObject };
  const { resources = {}, ...composite } = (desired ?? {}) as { resources?: Resources };
  const pick = (matches: (key: string) => boolean) =>
    Object.fromEntries(Object.entries(resources).filter(([key]) => matches(key)));
  return withoutEmpty({
    new: pick((key) => !(key in old)),
    gone: Object.keys(old).filter((key) => !(key in current)),
    changed: pick((key) => key in old && key in current),
    rest: { ...rest, ...withoutEmpty({ desired: composite }) },
  });
}

function withDifference(before: Answer, { new: added, gone = [], changed, rest = {} }: Difference): Answer {
  const removed = Object.fromEntries(gone.map((key) => [key, null]));
  const { desired, ...others } = rest as { desired?: JsonObject };
  return patched(before, {
    ...others,
    desired: { ...desired, resources: { ...added, ...removed, ...changed } },
  }) as Answer;
}

const withoutEmpty = <T extends object>(object: T): Partial<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => Object.keys(value).length > 0)) as Partial<T>;

const mapValues = (resources: Resources, change: (value: JsonObject, key: string) => JsonObject): Resources =>
  Object.fromEntries(Object.entries(resources).map(([key, value]) => [key, change(value, key)]));
