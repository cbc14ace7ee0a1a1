import { describe, expect, test } from 'vitest';
import { durationForms, parseDuration } from '../../functions/dns/duration.ts';

type Form = keyof typeof durationForms;

const examples: [text: string, seconds: number, ...forms: Form[]][] = [
  ['5s', 5, 'whole', 'field', 'go'],
  ['1m30s', 90, 'whole', 'field', 'go'],
  ['1h', 3600, 'whole', 'field', 'go'],
  ['250ms', 0.25, 'whole', 'field', 'go'],
  ['999999999s', 999_999_999, 'whole', 'field', 'go'],
  ['1.5s', 1.5, 'field', 'go'],
  ['9999999999s', 9_999_999_999, 'field', 'go'],
  ['1.s', 1, 'go'],
  ['.5s', 0.5, 'go'],
  ['+5s', 5, 'go'],
  ['7us7µs7μs', 21e-6, 'go'],
  ['5ns', 5e-9, 'go'],
  ['', Number.NaN],
  ['5', Number.NaN],
  ['0', Number.NaN],
  ['-5s', Number.NaN],
  ['5s ', Number.NaN],
  ['5d', Number.NaN],
  ['5 s', Number.NaN],
  ['5S', Number.NaN],
];

describe.each(Object.keys(durationForms) as Form[])('the form %s accepts no more and no less', (form) => {
  test.each(examples)('%j', (text, seconds, ...forms) => {
    const expected = forms.includes(form) ? seconds : Number.NaN;
    expect(Math.round(parseDuration(text, form, 's') * 1e9)).toBe(Math.round(expected * 1e9));
  });
});

test('a sum of whole milliseconds is exact', () => {
  expect(parseDuration('100ms200ms700ms', 'whole', 'ms')).toBe(1000);
});
