import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from '../../../functions/agent/kubernetes/lines.ts';

async function read(chunks?: Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(chunks ? ReadableStream.from(chunks) : null)) lines.push(line);
  return lines;
}

test('lines are the same in whatever pieces they arrive, and the one that was cut off is none', async () => {
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

test('a line between two that says nothing is none', async () => {
  expect(await read([Buffer.from('a\n\nb\n')])).toEqual(['a', 'b']);
  expect(await read()).toEqual([]);
});
