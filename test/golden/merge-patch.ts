/**
 * Creates and applies JSON merge patches (RFC 7386). RFC 7386 replaces a list or a text as a whole; two directives, written like
 * those of Kubernetes's strategic merge patch, change a part of one:
 *
 * - `{ $by: name, a: patch, b: null }` patches the items of a list by their `name`. New items are last, in the order of their
 *   names, unless there is an `$order`.
 * - `{ $lines: diff }` changes lines of a text, strings of a list, or lines of any other list's YAML (lines.ts).
 *
 * Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'yaml';
import { hunksOf, withHunks } from './lines.ts';

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** The patch that turns `before` into `after`; undefined if they are equal. Throws if a new value has a null or a key with `$`. */
export function patchFrom(before: Json | undefined, after: Json): Json | undefined {
  if (isDeepStrictEqual(before, after)) return undefined;
  if (isObject(before) && isObject(after)) return membersFrom(before, after);
  return itemsFrom(before, after) ?? linesFrom(before, after) ?? expressible(after);
}

/** `target` with `patch` applied. */
export function patched(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  if (typeof patch.$lines === 'string') return withLines(target, patch.$lines);
  if (typeof patch.$by === 'string') return withItems(target, patch.$by, patch);
  return withMembers(isObject(target) ? target : {}, patch);
}

function membersFrom(before: JsonObject, after: JsonObject): JsonObject {
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  const changed = Object.entries(after).flatMap(([key, value]) => {
    const patch = patchFrom(ownOf(before, key), value);
    return patch === undefined ? [] : [[named(key), patch] as const];
  });
  return Object.fromEntries([...gone.map((key) => [key, null] as const), ...changed]);
}

function withMembers(target: JsonObject, patch: JsonObject): JsonObject {
  const members = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, patched(members.get(key), value));
  }
  return Object.fromEntries(members);
}

/** Undefined if the diff is not shorter than the value, or the values are not of the same kind. */
function linesFrom(before: Json | undefined, after: Json): Json | undefined {
  const [old, current] = [linesOf(before), linesOf(after)];
  if (!old || !current || old.join !== current.join) return undefined;
  const hunks = hunksOf(old.lines, current.lines);
  return hunks.length < current.lines.length ? { $lines: textOf(hunks) } : undefined;
}

function withLines(target: Json | undefined, diff: string): Json {
  const old = linesOf(target);
  if (!old) throw new Error(`cannot change lines of ${JSON.stringify(target)}`);
  return old.join(withHunks(old.lines, linesIn(diff)));
}

/** A value as lines, and how to join them again. */
interface Lines {
  lines: string[];
  join(lines: string[]): Json;
}

/** The lines of a text, the strings of a list, or the YAML of any other list. */
function linesOf(value: Json | undefined): Lines | undefined {
  if (typeof value === 'string') return value.endsWith('\n') ? { lines: linesIn(value), join: textOf } : undefined;
  if (!Array.isArray(value)) return undefined;
  const areLines = value.every((item): item is string => typeof item === 'string' && !item.includes('\n'));
  return areLines ? { lines: value, join: listOf } : { lines: linesIn(stringify(value, yaml)), join: parsed };
}

const yaml = { sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false } as const;

const linesIn = (text: string): string[] => text.slice(0, -1).split('\n');
const textOf = (lines: string[]): string => lines.map((line) => `${line}\n`).join('');
const listOf = (lines: string[]): Json => lines;
const parsed = (lines: string[]): Json => parse(textOf(lines));

/** The members that identify list items in a response. */
const keys = ['name', 'type', 'mountPath'];

/** Undefined if the items have no common key or all are new. */
function itemsFrom(before: Json | undefined, after: Json): Json | undefined {
  const by = keys.find((key) => namesIn(before, key) && namesIn(after, key));
  if (by === undefined) return undefined;
  const [old, names] = [namesIn(before, by)!, namesIn(after, by)!];
  if (!names.some((name) => old.includes(name))) return undefined;
  const members = membersFrom(byName(before, by), byName(after, by));
  const order = orderOf(old, members);
  return { $by: by, ...members, ...(!isDeepStrictEqual(order, names) && { $order: names }) };
}

function withItems(target: Json | undefined, by: string, { $by, $order, ...members }: JsonObject): Json {
  const items = withMembers(byName(target, by), members);
  const order = ($order as string[] | undefined) ?? orderOf(namesIn(target, by) ?? [], members);
  return order.map((name) => items[name]!);
}

function orderOf(before: string[], members: JsonObject): string[] {
  const isNew = (name: string) => !before.includes(name);
  return [...before.filter((name) => ownOf(members, name) !== null), ...Object.keys(members).filter(isNew).sort()];
}

const byName = (list: Json | undefined, key: string): JsonObject =>
  Object.fromEntries((list as JsonObject[]).map((item) => [item[key] as string, item]));

/** Each item's `key`; undefined unless all items are objects in which it is a unique string. */
function namesIn(list: Json | undefined, key: string): string[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const names = list.map((item) => (isObject(item) ? ownOf(item, key) : undefined));
  const areNames = names.every((name): name is string => typeof name === 'string' && !name.startsWith('$'));
  return areNames && new Set(names).size === names.length ? names : undefined;
}

function expressible(value: Json): Json {
  if (value === null) throw new Error('cannot write a merge patch: a null would remove the member');
  if (isObject(value)) Object.keys(value).forEach(named);
  if (typeof value === 'object') Object.values(value).forEach(expressible);
  return value;
}

function named(key: string): string {
  if (key.startsWith('$')) throw new Error(`cannot write a merge patch: ${key} would be a directive`);
  return key;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const ownOf = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;
