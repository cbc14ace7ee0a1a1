import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from '../../../functions/agent/kubernetes/lines.ts';

const streamOf = (chunks: Uint8Array[]) => ReadableStream.from(chunks);

async function read(chunks: Uint8Array[], most?: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(streamOf(chunks), most)) lines.push(line);
  return lines;
}

test('lines are the same in whatever pieces they arrive, without the one that was cut off', async () => {
  const line = fc.string({ unit: fc.constantFrom(...'a"{}ä€🦆 '), minLength: 1, maxLength: 12 });
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(fc.array(line), line, sizes, async (lines, cutOff, pieces) => {
      const bytes = Buffer.from([...lines, cutOff].join('\n'));
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = pieces[chunks.length % pieces.length] ?? 1;
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(await read(chunks)).toEqual(lines);
    }),
  );
});

test('empty lines are skipped', async () => {
  expect(await read([Buffer.from('a\n\nb\n')])).toEqual(['a', 'b']);
  expect(await read([])).toEqual([]);
});

test('a line without end is not collected without bound', async () => {
  await expect(read([Buffer.from('abc'), Buffer.from('def')], 5)).rejects.toThrow('more than 5 characters');
});
