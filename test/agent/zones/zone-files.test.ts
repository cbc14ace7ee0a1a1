import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mostCharactersIn } from '../../../functions/agent/lib/memory.ts';
import { declaredAccount, type RRset, replacement, resourceOf } from '../../../functions/agent/powerdns/rrset.ts';
import { desiredZones } from '../../../functions/agent/zones/desired-zone.ts';
import type { ZoneFileState, ZoneFiles } from '../../../functions/agent/zones/zone-file.ts';
import { type ConfigMapData, ZoneFileSet } from '../../../functions/agent/zones/zone-files.ts';
import { parseZoneFile } from '../../../functions/dns/zone-file/zone-file.ts';
import { declare, discoveredRRset, makeAgent, record } from '../make.ts';

/** ConfigMaps that a test changes, and the resulting zone files. */
function start() {
  const takers = new Map<string, (configMap: ConfigMapData | undefined) => void>();
  const received: ZoneFiles[] = [];
  const stopped: string[] = [];
  const set = new ZoneFileSet(
    (name, take) => {
      takers.set(name, take);
      return () => stopped.push(name);
    },
    (files) => received.push(files),
    mostCharactersIn(256 * 2 ** 20),
  );
  return {
    set,
    stopped,
    received,
    watched: () => [...takers.keys()],
    put: (name: string, configMap: ConfigMapData | undefined) => takers.get(name)!(configMap),
    files: () => Object.fromEntries(received.at(-1) ?? []),
  };
}
const a = { configMap: 'a', key: 'corp' };
const name = 'ConfigMap a, key corp';
const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');

/** The state of the zone file in one ConfigMap. */
function stateOf(configMap: ConfigMapData | undefined, ref = a) {
  const { set, put, files } = start();
  set.watch([ref]);
  put('a', configMap);
  return Object.values(files())[0];
}

describe('a zone file', () => {
  const text = '; Größe\nwww A 192.0.2.1\n';
  test.each<[string, ConfigMapData]>([
    ['as text', { data: { corp: text } }],
    ['as bytes', { binaryData: { corp: base64(text) } }],
    ['compressed', { binaryData: { corp: base64(gzipSync(text)) } }],
    ['in both ways, as text', { data: { corp: text }, binaryData: { corp: base64('other') } }],
    [
      'in several members of gzip',
      { binaryData: { corp: base64(Buffer.concat([gzipSync(text.slice(0, 9)), gzipSync(text.slice(9))])) } },
    ],
  ])('is read %s', (_, configMap) => {
    expect(stateOf(configMap)).toEqual({ text });
  });

  test('keeps an octet that is not UTF-8', () => {
    const bytes = Buffer.from('a TXT "M\xfcller" ; M\xfcller', 'latin1');
    expect(stateOf({ binaryData: { corp: base64(bytes) } })).toEqual({ text: 'a TXT "M\\252ller" ; M\\252ller' });
  });

  test('may be empty', () => {
    expect(stateOf({ data: { corp: '' } })).toEqual({ text: '' });
    expect(stateOf({ binaryData: { corp: '' } })).toEqual({ text: '' });
  });

  test.each<[string, ConfigMapData | undefined, string | RegExp]>([
    ['without its ConfigMap', undefined, 'there is no such ConfigMap'],
    ['without its key', { data: { other: text } }, 'the ConfigMap has no such key'],
    ['of an empty ConfigMap', {}, 'the ConfigMap has no such key'],
    ['cut off', { binaryData: { corp: base64(gzipSync(text).subarray(0, 20)) } }, /^cannot unpack it: unexpected end/],
    [
      'that only begins like gzip',
      { binaryData: { corp: base64(Uint8Array.of(0x1f, 0x8b, 0, 0)) } },
      /^cannot unpack it: /,
    ],
  ])('%s is a failure', (_, configMap, failure) => {
    expect(stateOf(configMap)).toEqual({ failure: expect.stringMatching(failure) });
  });

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('does not inherit the key %s', (key) => {
    const { data } = JSON.parse('{"data":{"other":"x"}}');
    expect(stateOf({ data }, { configMap: 'a', key })).toEqual({ failure: 'the ConfigMap has no such key' });
    const written = JSON.parse(`{"data":{${JSON.stringify(key)}:"x"}}`);
    expect(stateOf(written, { configMap: 'a', key })).toEqual({ text: 'x' });
  });

  test('is decompressed up to 16 MiB and no further', () => {
    const bytes = Buffer.alloc(16 * 1024 * 1024 + 1, ';');
    const packed = { binaryData: { corp: base64(gzipSync(bytes.subarray(1))) } };
    expect(stateOf(packed)?.text).toHaveLength(bytes.length - 1);
    expect(stateOf({ binaryData: { corp: base64(gzipSync(bytes)) } })).toEqual({
      failure: expect.stringMatching(/longer than 16777216 characters together/),
    });
  });
});

describe('zone files are watched', () => {
  test('when they are created, changed and deleted, and are undefined before the first list', () => {
    const { set, put, files } = start();
    set.watch([a, { configMap: 'b', key: 'corp' }]);
    expect(files()).toEqual({});
    put('a', { data: { corp: 'one' } });
    expect(files()).toEqual({ [name]: { text: 'one' } });
    put('b', undefined);
    put('a', { data: { corp: 'two' } });
    expect(files()).toEqual({
      [name]: { text: 'two' },
      'ConfigMap b, key corp': { failure: 'there is no such ConfigMap' },
    });
  });

  test('with one watch for all keys of a ConfigMap', () => {
    const { set, put, files, watched, received } = start();
    set.watch([a, { configMap: 'a', key: 'dev' }, { configMap: 'a', key: 'none' }]);
    expect(watched()).toEqual(['a']);
    const before = received.length;
    put('a', { data: { corp: 'one', dev: 'two' } });
    expect(received.length - before).toBe(1);
    expect(files()).toEqual({
      [name]: { text: 'one' },
      'ConfigMap a, key dev': { text: 'two' },
      'ConfigMap a, key none': { failure: 'the ConfigMap has no such key' },
    });
  });

  test('until they are no longer referenced, and are undefined when they are referenced again', () => {
    const { set, put, files, stopped } = start();
    const b = { configMap: 'b', key: 'corp' };
    set.watch([a, b]);
    put('a', { data: { corp: 'one' } });
    put('b', { data: { corp: 'two' } });
    set.watch([b]);
    expect(stopped).toEqual(['a']);
    expect(Object.keys(files())).toEqual(['ConfigMap b, key corp']);
    set.watch([a, b]);
    expect(Object.keys(files())).toEqual(['ConfigMap b, key corp']);
    expect(stopped).toEqual(['a']);
  });

  test('without a gap while others are added and removed', () => {
    const { set, put, received } = start();
    set.watch([a]);
    put('a', { data: { corp: 'one' } });
    const before = received.length;
    set.watch([a, { configMap: 'b', key: 'x' }]);
    set.watch([a]);
    expect(received.slice(before).map((files) => files.get(name))).toEqual([{ text: 'one' }, { text: 'one' }]);
  });

  test('and are known at once without a cluster', () => {
    const received: ZoneFiles[] = [];
    const set = new ZoneFileSet(
      (_, take) => {
        take({ data: { corp: 'one' } });
        return () => {};
      },
      (files) => received.push(files),
      1000,
    );
    set.watch([a]);
    expect(Object.fromEntries(received.at(-1)!)).toEqual({ [name]: { text: 'one' } });
  });

  test('and changes after the stop are ignored', () => {
    const { set, put, files } = start();
    set.watch([a]);
    set.watch([]);
    put('a', { data: { corp: 'late' } });
    expect(files()).toEqual({});
  });
});

describe('the record budget of all zones together', () => {
  const files = (...counts: number[]) =>
    new Map(
      counts.map((count, i): [string, { text: string }] => [
        `ConfigMap f${i}, key k`,
        { text: Array.from({ length: count }, (_, n) => `h${n}-${i} A 192.0.2.1`).join('\n') },
      ]),
    );
  const declaration = declare({
    zones: [0, 1, 2].map((i) => ({
      name: `z${i}.internal`,
      nameServers: [],
      records: [record('in-spec', 'A', '192.0.2.1')],
      recordsFrom: [{ configMap: `f${i}`, key: 'k' }],
    })),
  });
  const failuresOf = (mostRecords: number, ...counts: number[]) =>
    [...desiredZones(declaration, files(...counts), new Map(), { most: mostRecords }).values()].map(
      ({ problem = '', heldFiles }) => `${problem.split(':')[0]}${heldFiles.size > 0 ? ' held' : ''}`,
    );

  test('holds a file that exceeds it as a whole, with the line, and is not used up by that', () => {
    expect(failuresOf(33, 10, 10, 10)).toEqual(['', '', '']);
    expect(failuresOf(32, 10, 10, 10)).toEqual(['', '', 'ConfigMap f2, key k, line 10 held']);
    expect(failuresOf(33, 10, 100_000, 20)).toEqual(['', 'ConfigMap f1, key k, line 21 held', '']);
  });

  describe('together with current records', () => {
    const mark = (source: string) => ({ account: declaredAccount, content: source });
    const rrsets = (count: number, of?: string): RRset[] =>
      Array.from({ length: count }, (_, i) => ({
        ...discoveredRRset('ingress/a/web', `${of ?? 'd'}${i}.z0.internal.`, 'A', '192.0.2.1'),
        ...(of !== undefined && { mark: mark(`ConfigMap ${of}, key k`) }),
      }));
    /** Reconciles the zones when z0.internal already has `present`. Returns their messages and the records by source. */
    async function reconciledWith(most: number, present: RRset[], known: ZoneFiles) {
      const setup = makeAgent(undefined, { mostRecords: most });
      setup.declare(declaration);
      setup.agent.setZoneFiles(files(0, 0, 0));
      await setup.agent.reconcile();
      const [zone] = await setup.database.zones();
      await setup.database.apply(zone!, present.map(replacement));
      setup.agent.setZoneFiles(known);
      for (let i = 0; i < 2; i++) await setup.agent.reconcile();
      const zones = await setup.database.zones();
      return {
        states: setup.agent.report()?.zones.map(({ message = '' }) => message.split(':')[0]),
        sources: Map.groupBy(
          zones.flatMap(({ rrsets }) => rrsets),
          (rrset) => resourceOf(rrset),
        ),
      };
    }
    const noFile = { failure: 'there is no such ConfigMap' };

    test('does not give a file what discovered records use', async () => {
      const [fits, not] = await Promise.all(
        [43, 42].map((most) => reconciledWith(most, rrsets(10), files(10, 10, 10))),
      );
      expect(fits!.states).toEqual(['', '', '']);
      expect(not!.states).toEqual(['', '', 'ConfigMap f2, key k, line 10']);
      expect(not!.sources.get('ingress/a/web')).toHaveLength(10);
    });

    test('does not give a file what the current records of a held or missing file use', async () => {
      for (const state of [noFile, { text: 'this is no record' }]) {
        const known = (count: number) =>
          new Map<string, ZoneFileState>([...files(0, count, 0), ['ConfigMap f0, key k', state]]);
        const present = rrsets(10, 'f0');
        const [fits, not] = await Promise.all([20, 21].map((count) => reconciledWith(33, present, known(count))));
        expect(fits!.states?.[1]).toBe('');
        expect(not!.states?.[1]).toBe('ConfigMap f1, key k, line 21');
        expect(not!.sources.get('ConfigMap f0, key k')).toHaveLength(10);
      }
    });

    test('keeps a current file, however small it is', async () => {
      const current = (text: string) => new Map([...files(0, 0, 0), ['ConfigMap f0, key k', { text }]]);
      const text = rrsets(10, 'f0')
        .map(({ name }) => `${name} A 192.0.2.1`)
        .join('\n');
      const present = [...rrsets(10, 'f0'), ...rrsets(10)];
      expect((await reconciledWith(5, present, current(text.replace('2.1', '2.2')))).states).toEqual(['', '', '']);
      const more = await reconciledWith(5, present, current(`${text}\nmore A 192.0.2.1`));
      expect(more.states).toEqual(['ConfigMap f0, key k, line 11', '', '']);
      expect(more.sources.get('ConfigMap f0, key k')).toHaveLength(10);
    });
  });

  test('counts a long record as several', () => {
    const text = `t TXT ${Array.from({ length: 40 }, () => `"${'x'.repeat(255)}"`).join(' ')}`;
    const read = (room: number) => parseZoneFile(text, { name: 'corp.internal.', recordBudget: room }).issues;
    expect(read(21)).toEqual([]);
    expect(read(20)).toEqual([
      { at: 'line 1', message: expect.stringContaining('raise resources.agent.limits.memory') },
    ]);
  });

  test('is accompanied by a limit of characters of all files together', () => {
    const { set, put, files: known } = start();
    const half = Buffer.alloc(9 * 1024 * 1024, ';').toString();
    set.watch([a, { configMap: 'b', key: 'corp' }, { configMap: 'c', key: 'corp' }]);
    put('a', { data: { corp: half } });
    put('b', { binaryData: { corp: base64(gzipSync(half)) } });
    put('c', { data: { corp: half } });
    const tooLong = { failure: expect.stringMatching(/^the zone files of the instance are longer than 16777216/) };
    expect(Object.values(known() ?? {})).toEqual([{ text: half }, tooLong, tooLong]);
  });
});
