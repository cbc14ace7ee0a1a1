import { describe, expect, test } from 'vitest';
import { SeenEntries } from '../../../functions/agent/machines/seen-entries.ts';
import type { Entry } from '../../../functions/agent/machines/status-entry.ts';

const nas = 'machine/a/nas';
const at = (hour: number) => `2026-01-31T${`${hour}`.padStart(2, '0')}:00:00Z`;
const entry = (name: string, hour: number, more: object = {}): Entry => ({ name, observedAt: at(hour), ...more });

function make() {
  const seen = new SeenEntries(() => 'corp');
  const see = (...instances: Entry[]) => seen.see(nas, { metadata: { name: 'nas' }, status: { instances } });
  /** Whether there is a new version afterwards. */
  const isNew = (work: () => void) => {
    const { version } = seen;
    work();
    return seen.version !== version;
  };
  return { seen, see, isNew };
}

describe('the own entry', () => {
  test('is kept whole, the same object until it changes', () => {
    const { seen, see, isNew } = make();
    const own = entry('corp', 1, { fqdn: 'nas.corp.internal' });
    expect(isNew(() => see(own, entry('lab', 1)))).toBe(true);
    expect(seen.get(nas)).toBe(own);
    expect(isNew(() => see(structuredClone(own), entry('lab', 2)))).toBe(false);
    expect(seen.get(nas)).toBe(own);
    expect(isNew(() => see(entry('corp', 2), entry('lab', 2)))).toBe(true);
    expect(seen.get(nas)).toEqual(entry('corp', 2));
    expect(isNew(() => see(entry('lab', 2)))).toBe(true);
    expect(seen.get(nas)).toBeUndefined();
  });

  test('is forgotten with its object', () => {
    const { seen, see, isNew } = make();
    see(entry('corp', 1), entry('lab', 1));
    expect(isNew(() => seen.forget(nas))).toBe(true);
    expect([seen.get(nas), seen.others(nas)]).toEqual([undefined, []]);
    expect(isNew(() => seen.forget(nas))).toBe(false);
  });
});

describe('entries of others', () => {
  test('are kept with nothing but their time', () => {
    const { seen, see } = make();
    see(entry('lab', 1, { fqdn: 'nas.lab.internal' }), entry('corp', 2), { name: 'home' }, entry('site', 3));
    expect(seen.others(nas)).toEqual([
      { name: 'lab', observedAt: Date.parse(at(1)) },
      { name: 'home', observedAt: Number.NaN },
      { name: 'site', observedAt: Date.parse(at(3)) },
    ]);
    expect(seen.others('machine/a/other')).toEqual([]);
  });

  test('are a new version when one has come, not when it is renewed or goes', () => {
    const { seen, see, isNew } = make();
    expect(isNew(() => see(entry('lab', 1)))).toBe(true);
    expect(isNew(() => see(entry('lab', 7)))).toBe(false);
    expect(seen.others(nas)).toEqual([{ name: 'lab', observedAt: Date.parse(at(7)) }]);
    expect(isNew(() => see(entry('lab', 7), entry('home', 7)))).toBe(true);
    expect(isNew(() => see(entry('home', 7)))).toBe(false);
    expect(isNew(() => see())).toBe(false);
    expect(seen.others(nas)).toEqual([]);
    expect(isNew(() => see(entry('home', 8)))).toBe(true);
  });

  test('are not among them that say with what DS records a zone was published', () => {
    const { seen, see } = make();
    see(entry('lab', 1, { dnssec: { ds: ['1 13 2 aa'], dnskey: ['257 3 13 key'] } }), entry('home', 1));
    expect(seen.others(nas)).toEqual([{ name: 'home', observedAt: Date.parse(at(1)) }]);
  });
});
