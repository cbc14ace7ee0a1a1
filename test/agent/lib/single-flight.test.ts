import { expect, test } from 'vitest';
import { SingleFlight } from '../../../functions/agent/lib/single-flight.ts';

test('work is started once for each key, and again when it has ended', async () => {
  const [flight, started] = [new SingleFlight(), [] as string[]];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const start = (key: string, gate = gates[0]) =>
    flight.run(key, () => {
      started.push(key);
      return gate?.promise ?? Promise.resolve();
    });
  const first = start('a');
  expect(start('a')).toBe(first);
  const failing = start('b', gates[1]);
  expect(started).toEqual(['a', 'b']);
  gates[0]?.resolve();
  await first;
  gates[1]?.reject(new Error('no'));
  await expect(failing).rejects.toThrow('no');
  await Promise.all([start('a'), start('b')]);
  expect(started).toEqual(['a', 'b', 'a', 'b']);
});
