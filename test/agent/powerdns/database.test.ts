import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Database } from '../../../functions/agent/powerdns/database.ts';
import type { PowerDNS } from '../../../functions/agent/powerdns/powerdns.ts';

const header = { id: 'corp.internal.', name: 'corp.internal.', account: '', serial: 1, dnssec: false };

/** A PowerDNS that takes so many milliseconds to return a zone, whose serial never changes. */
function databaseThatTakes(ms: number) {
  let reads = 0;
  const powerdns: Pick<PowerDNS, 'zones' | 'zone'> = {
    zones: async () => [header],
    zone: async () => {
      reads++;
      await sleep(ms);
      return { ...header, rrsets: [] };
    },
  };
  const database = new Database(powerdns as PowerDNS);
  return async (atMs: number) => {
    await database.zones(atMs);
    return reads;
  };
}

test('a small zone is read again every 4.5 seconds', async () => {
  const readsBy = databaseThatTakes(0);
  expect(await readsBy(0)).toBe(1);
  expect(await readsBy(4_000)).toBe(1);
  expect(await readsBy(60_000)).toBe(2);
});

test('one that takes longer is read again after 1,000 times as long, and within a minute', async () => {
  const readsBy = databaseThatTakes(20);
  expect(await readsBy(0)).toBe(1);
  expect(await readsBy(19_000)).toBe(1);
  expect(await readsBy(60_000)).toBe(2);
});
