import { expect, test } from 'vitest';
import {
  RenderCache,
  type RenderCacheOptions,
  type RenderRequest,
} from '../../../functions/agent/http/render-cache.ts';

/** A text of this many chunks that counts how many were rendered. */
function textOf(chunks: number, chunk = 'x'.repeat(10)) {
  const text = {
    rendered: 0,
    *render() {
      for (let i = 0; i < chunks; i++) {
        text.rendered++;
        yield chunk;
      }
    },
  };
  return text;
}

const makeCache = (options: RenderCacheOptions = {}) =>
  new RenderCache({ maxEntryBytes: 100, maxTotalBytes: 250, ...options });
const request = (render: RenderRequest['render'], changes: Partial<RenderRequest> = {}): RenderRequest => ({
  key: 'page',
  inputs: [1],
  render,
  isAborted: () => false,
  ...changes,
});

async function all(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

test('concurrent and later readers of the same text share one rendering', async () => {
  const [text, cache] = [textOf(5), makeCache()];
  const read = () => all(cache.read(request(text.render)));
  expect(await Promise.all(Array.from({ length: 20 }, read))).toEqual(Array(20).fill('x'.repeat(50)));
  await read();
  expect(text.rendered).toBe(5);
});

test('a different search or version is rendered separately', async () => {
  const [text, cache] = [textOf(1), makeCache()];
  for (const changes of [{}, { key: 'search' }, { inputs: [2] }, { inputs: [1, 2] }]) {
    await all(cache.read(request(text.render, changes)));
  }
  expect(text.rendered).toBe(4);
});

test('a long text is rendered completely for each reader, as it is read', async () => {
  const [text, cache] = [textOf(1_000), makeCache()];
  const [first, second] = [cache.read(request(text.render)), cache.read(request(text.render))];
  await Promise.all([first.next(), second.next()]);
  expect(text.rendered).toBeLessThan(50);
  expect([(await all(first)).length, (await all(second)).length]).toEqual([9_990, 9_990]);
});

test('the oldest text is evicted when the total exceeds its limit', async () => {
  const [text, cache] = [textOf(10), makeCache()];
  for (const key of ['a', 'b', 'c', 'c', 'b', 'a']) await all(cache.read(request(text.render, { key })));
  expect(text.rendered).toBe(40);
});

test('nothing is rendered for disconnected readers unless another one waits for it', async () => {
  const cache = makeCache();
  const text = textOf(5);
  let isAborted = false;
  const aborted = all(cache.read(request(text.render, { isAborted: () => isAborted })));
  const other = all(cache.read(request(text.render)));
  isAborted = true;
  expect(await other).toBe('x'.repeat(50));
  await aborted;
  expect(text.rendered).toBe(5);
  expect(await all(cache.read(request(text.render, { key: 'other', isAborted: () => true })))).toBe('');
  expect(text.rendered).toBe(5);
});

test('a failed rendering fails its reader only, and is retried for the next', async () => {
  const cache = makeCache();
  const broken = function* (): Generator<string> {
    yield 'a';
    throw new Error('no');
  };
  await expect(all(cache.read(request(broken)))).rejects.toThrow('no');
  expect(await all(cache.read(request(textOf(1).render)))).toBe('x'.repeat(10));
});
