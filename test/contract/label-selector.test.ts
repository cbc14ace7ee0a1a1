import { describe, expect, test } from 'vitest';
import { type LabelSelector, matchesSelector } from '../../functions/contract/label-selector.ts';

const labels = { team: 'shop', tier: '' };
const one = (key: string, operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', values?: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values && { values }) }],
});

describe('labels match', () => {
  test.each<[string, LabelSelector]>([
    ['an empty selector', {}],
    ['empty requirements', { matchLabels: {}, matchExpressions: [] }],
    ['a label', { matchLabels: { team: 'shop' } }],
    ['an empty label', { matchLabels: { tier: '' } }],
    ['several labels', { matchLabels: { team: 'shop', tier: '' } }],
    ['one of several values', one('team', 'In', ['bank', 'shop'])],
    ['none of several values', one('team', 'NotIn', ['bank'])],
    ['NotIn for a label that is not there', one('env', 'NotIn', ['prod'])],
    ['Exists', one('tier', 'Exists')],
    ['DoesNotExist', one('env', 'DoesNotExist')],
    ['DoesNotExist for what every object has', one('constructor', 'DoesNotExist')],
  ])('%s', (_, selector) => {
    expect(matchesSelector(selector, labels)).toBe(true);
  });
});

describe('labels do not match', () => {
  test.each<[string, LabelSelector]>([
    ['another value', { matchLabels: { team: 'bank' } }],
    ['a label that is not there', { matchLabels: { env: 'prod' } }],
    ['an empty label that is not there', { matchLabels: { env: '' } }],
    ['one label of two', { matchLabels: { team: 'shop', tier: 'gold' } }],
    ['labels without the expression', { matchLabels: { team: 'shop' }, ...one('env', 'Exists') }],
    ['another value of several', one('team', 'In', ['bank', 'farm'])],
    ['In for a label that is not there', one('env', 'In', ['prod'])],
    ['In without values', one('team', 'In')],
    ['NotIn with its own value', one('team', 'NotIn', ['shop'])],
    ['Exists', one('env', 'Exists')],
    ['Exists for what every object has', one('toString', 'Exists')],
    ['DoesNotExist', one('tier', 'DoesNotExist')],
  ])('%s', (_, selector) => {
    expect(matchesSelector(selector, labels)).toBe(false);
  });
});
