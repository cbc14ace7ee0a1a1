/** The links, file names and line widths of the documentation. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const pages = [...globSync('*.md', { cwd: root }), ...globSync('docs/*.md', { cwd: root })].sort();

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/^ {4}.*$/gm, '');

/** The anchors that GitHub generates for headings. */
const anchorsIn = (file: string) =>
  [...withoutCode(read(file)).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe.each(pages)('%s', (page) => {
  test('every relative link leads to an existing file and heading', () => {
    const links = [...withoutCode(read(page)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && file.endsWith('.md') && !anchorsIn(file).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

// The references of the kinds are generated.
test.each(pages.filter((page) => !page.endsWith('api.md')))(
  'lines of %s have at most 120 characters, without links',
  (page) => {
    const lines = withoutCode(read(page)).split('\n');
    const widthOf = (line: string) => line.replaceAll(/\]\([^)]*\)/g, ']').length;
    expect(lines.filter((line) => widthOf(line) > 120 && !/^\||^ *</.test(line))).toEqual([]);
  },
);

test('docs/architecture.md names existing files', () => {
  const named = [...read('docs/architecture.md').matchAll(/`([a-z0-9-]+\/[a-z0-9/.-]+)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.length).toBeGreaterThan(10);
  const places = ['', 'functions', 'functions/agent'];
  expect(named.filter((path) => !places.some((place) => existsSync(join(root, place, path))))).toEqual([]);
});

test('the dark architecture picture differs from the light one only in its colors', () => {
  const colorless = (file: string) => read(file).replaceAll(/#[0-9a-f]{6}/g, '#');
  expect(colorless('docs/architecture-dark.svg')).toBe(colorless('docs/architecture.svg'));
});
