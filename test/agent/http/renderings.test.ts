import { expect, test } from 'vitest';
import { type Reading, Renderings, type RenderingsOptions } from '../../../functions/agent/http/renderings.ts';

/** A text of so many pieces, and how many were made. */
function textOf(pieces: number, piece = 'x'.repeat(10)) {
  const text = {
    made: 0,
    *make() {
      for (let i = 0; i < pieces; i++) {
        text.made++;
        yield piece;
      }
    },
  };
  return text;
}

const renderings = (options: RenderingsOptions = {}) => new Renderings({ longest: 100, most: 250, ...options });
const reading = (make: Reading['make'], changes: Partial<Reading> = {}): Reading => ({
  key: 'page',
  of: [1],
  make,
  isGone: () => false,
  ...changes,
});

async function all(pieces: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

test('those who read the same at the same time, and later, have one text made', async () => {
  const [text, kept] = [textOf(5), renderings()];
  const read = () => all(kept.read(reading(text.make)));
  expect(await Promise.all(Array.from({ length: 20 }, read))).toEqual(Array(20).fill('x'.repeat(50)));
  await read();
  expect(text.made).toBe(5);
});

test('another search, or another version, is another text', async () => {
  const [text, kept] = [textOf(1), renderings()];
  for (const changes of [{}, { key: 'search' }, { of: [2] }, { of: [1, 2] }]) {
    await all(kept.read(reading(text.make, changes)));
  }
  expect(text.made).toBe(4);
});

test('a long text is made while it is read, for each reader, and whole', async () => {
  const [text, kept] = [textOf(1_000), renderings()];
  const [first, second] = [kept.read(reading(text.make)), kept.read(reading(text.make))];
  await Promise.all([first.next(), second.next()]);
  expect(text.made).toBeLessThan(50);
  expect([(await all(first)).length, (await all(second)).length]).toEqual([9_990, 9_990]);
});

test('of all texts only so much is kept: the oldest goes', async () => {
  const [text, kept] = [textOf(10), renderings()];
  for (const key of ['a', 'b', 'c', 'c', 'b', 'a']) await all(kept.read(reading(text.make, { key })));
  expect(text.made).toBe(40);
});

test('for those who have gone nothing is made, unless another waits for it', async () => {
  const kept = renderings();
  const text = textOf(5);
  let isGone = false;
  const gone = all(kept.read(reading(text.make, { isGone: () => isGone })));
  const other = all(kept.read(reading(text.make)));
  isGone = true;
  expect(await other).toBe('x'.repeat(50));
  await gone;
  expect(text.made).toBe(5);
  expect(await all(kept.read(reading(text.make, { key: 'other', isGone: () => true })))).toBe('');
  expect(text.made).toBe(5);
});

test('what cannot be made fails for who asked, and is made for the next', async () => {
  const kept = renderings();
  const broken = function* (): Generator<string> {
    yield 'a';
    throw new Error('no');
  };
  await expect(all(kept.read(reading(broken)))).rejects.toThrow('no');
  expect(await all(kept.read(reading(textOf(1).make)))).toBe('x'.repeat(10));
});
