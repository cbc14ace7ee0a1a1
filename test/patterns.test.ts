/** No pattern takes longer than its text is long, whoever writes the text. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostLabel } from '../functions/contract/host-rules.ts';
import { domainForm, hostLabels } from '../functions/internal-dns/name-form.ts';
import { labelForm } from '../functions/internal-dns/object-metadata.ts';
import { ipForm } from '../functions/internal-dns/rules.ts';

const root = join(import.meta.dirname, '..');
const sources = globSync('functions/**/*.ts', { cwd: root }).sort();
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

/** A regular expression in source: after what no division follows, and whole on its line. */
const literal =
  /(?<=[(,=:[!&|?{};\s]|^)\/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])*)\/([dgimsuvy]*)/g;
/** A pattern in a text: what begins and ends as one, with the pieces that it is put together of. */
const inText = /(['`])(\^(?:\\.|(?!\1)[^\\\n])*\$)\1/g;

const pieces: Record<string, string> = {
  hostLabel,
  hostLabels,
  labelForm,
  domainForm,
  octet: '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])',
};

/** Each once, by where it is first. */
function patterns(): Map<string, RegExp> {
  const found = new Map<string, RegExp>();
  const add = (source: string, flags: string, at: string) => {
    try {
      if (![...found.values()].some((p) => p.source === source && p.flags === flags))
        found.set(`${at} /${source}/${flags}`, new RegExp(source, flags));
    } catch {
      // A division, or a piece of something else.
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

/** Texts that most of a pattern matches, again and again, and that it does not match in the end. */
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

/** The least of several: what else the machine does only adds to it. */
const leastOf = (times: number, cost: () => number) => Math.min(...Array.from({ length: times }, cost));

/** How many times as much as a plain look at each character the worst text of the whole length costs. */
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

// The square of the length is thousands.
const allowed = 300;

test('they are found, those in texts too', () => {
  expect(all.size).toBeGreaterThan(120);
  const texts = [...all.keys()];
  for (const part of ['(ms|s|m|h)', 'in-addr[.]arpa', '[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'tag:']) {
    expect([part, texts.some((text) => text.includes(part))]).toEqual([part, true]);
  }
});

test.each([...all])('%s', (_, pattern) => {
  expect(worstOf(pattern)).toBeLessThan(allowed);
});

test.each([
  ['a colon anywhere', /^[0-9a-f:]*:[0-9a-f:.]*$/],
  ['a unit behind digits', /\d+[wdhms]/g],
  ['the end of a run', /[^a-z0-9]+$/],
  ['a line break with blanks', /\s*\n\s*/g],
])('%s would be found out', (_, pattern) => {
  expect(worstOf(pattern, 8 * 1024)).toBeGreaterThan(allowed);
});
