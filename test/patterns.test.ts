/** No regular expression takes more than linear time, whatever its input (ReDoS). */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostLabel } from '../functions/contract/host-rules.ts';
import { domainForm, hostLabels, labelForm } from '../functions/contract/name-form.ts';

import { ipForm } from '../functions/contract/rules.ts';

const root = join(import.meta.dirname, '..');
const sources = globSync('functions/**/*.ts', { cwd: root }).sort();
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

/** A regular expression literal: after a character that no division follows, and on a single line. */
const literal =
  /(?<=[(,=:[!&|?{};\s]|^)\/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])*)\/([dgimsuvy]*)/g;
/** A pattern in a string: begins with ^ and ends with $, and may be composed of named pieces. */
const inText = /(['`])(\^(?:\\.|(?!\1)[^\\\n])*\$)\1/g;

const pieces: Record<string, string> = {
  hostLabel,
  hostLabels,
  labelForm,
  domainForm,
  octet: '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])',
};

/** All distinct patterns, by their first file. */
function patterns(): Map<string, RegExp> {
  const found = new Map<string, RegExp>();
  const add = (source: string, flags: string, at: string) => {
    try {
      if (![...found.values()].some((p) => p.source === source && p.flags === flags))
        found.set(`${at} /${source}/${flags}`, new RegExp(source, flags));
    } catch {
      // A division, or a part of another pattern.
    }
  };
  for (const file of sources) {
    for (const line of textOf(file).split('\n')) {
      if (/^\s*(?:\/\/|\*|\/\*)/.test(line)) continue;
      for (const { index, 1: source = '', 2: flags = '' } of line.matchAll(literal)) {
        const isInTemplate = line.slice(0, index).split('`').length % 2 === 0;
        if (!isInTemplate) add(source, flags, file);
      }
      for (const [, , text = ''] of line.matchAll(inText)) {
        const whole = text.replaceAll(/\$\{(\w+)\}/g, (piece, name) => pieces[name] ?? piece);
        if (!whole.includes('${')) add(whole.replaceAll('\\\\', '\\'), '', file);
      }
    }
  }
  add(ipForm, '', 'ipForm');
  return found;
}

const all = patterns();
const characters = 64 * 1024;

/** Texts of repeated characters that match most of a pattern, with an end that does not match. */
function attacksOn(pattern: RegExp): ((length: number) => string)[] {
  const own = [...pattern.source.replaceAll(/\\[dDsSwWbBpPux]|[\\^$*+?()[\]|]/g, '')];
  const pumps = new Set([...'aA0.:- \t\n\0{"', 'a.', ...own.slice(0, 12)]);
  return [...pumps].flatMap((pump) =>
    ['', '/', '6'].flatMap((before) =>
      ['\0', '0\0'].map((after) => (length: number) => before + pump.repeat(length / pump.length) + after),
    ),
  );
}

function costOf(pattern: RegExp, text: string): number {
  const began = performance.now();
  text.replace(pattern, '');
  return performance.now() - began;
}

/** The lowest of several measurements: other load only adds to them. */
const leastOf = (times: number, cost: () => number) => Math.min(...Array.from({ length: times }, cost));

/** The cost of the worst text, relative to that of a single pass over a text of the same length. */
function worstOf(pattern: RegExp, length = characters): number {
  const plain = 'x'.repeat(length);
  const usual = leastOf(20, () => costOf(/^(?:[a-w]|[^j])*j/, plain));
  const suspects = attacksOn(pattern)
    .map((attack) => {
      const text = attack(1024);
      return { attack, cost: costOf(pattern, text) };
    })
    .sort((a, b) => b.cost - a.cost)
    .slice(0, 4);
  return Math.max(
    ...suspects.map(({ attack }) => {
      const text = attack(length);
      return leastOf(3, () => costOf(pattern, text)) / usual;
    }),
  );
}

// Quadratic time would be thousands.
const allowed = 300;

test('patterns are found in literals and in strings', () => {
  expect(all.size).toBeGreaterThan(120);
  const texts = [...all.keys()];
  for (const part of ['(ms|s|m|h)', 'in-addr[.]arpa', '[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'tag:']) {
    expect([part, texts.some((text) => text.includes(part))]).toEqual([part, true]);
  }
});

test.each([...all])('%s takes linear time', (_, pattern) => {
  expect(worstOf(pattern)).toBeLessThan(allowed);
});

test.each([
  ['a colon at any position', /^[0-9a-f:]*:[0-9a-f:.]*$/],
  ['a unit after digits', /\d+[wdhms]/g],
  ['the end of a run', /[^a-z0-9]+$/],
  ['a line break with blanks', /\s*\n\s*/g],
])('the quadratic pattern for %s is detected', (_, pattern) => {
  expect(worstOf(pattern, 8 * 1024)).toBeGreaterThan(allowed);
});
