import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { find } from './programs.ts';

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'bin-'));
  vi.stubEnv('PATH', bin);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(bin, { recursive: true });
});

const install = async () => {
  writeFileSync(join(bin, 'delv'), '');
  chmodSync(join(bin, 'delv'), 0o755);
};
const command = 'apt-get install -y --no-install-recommends bind9-dnsutils';

test('an installed program is used without fetching, by any user', async () => {
  await install();
  for (const isRoot of [true, false]) {
    const means = { isRoot, isDebian: true, fetch: vi.fn() };
    expect(await find('delv', means)).toBe(join(bin, 'delv'));
    expect(means.fetch).not.toHaveBeenCalled();
  }
});

test('a file that is not executable is not a program', async () => {
  writeFileSync(join(bin, 'delv'), '');
  await expect(find('delv', { isRoot: false, isDebian: true, fetch: vi.fn() })).rejects.toThrow('cannot find delv');
});

describe('a missing program', () => {
  test('is fetched for root on Debian', async () => {
    const fetch = vi.fn(install);
    expect(await find('delv', { isRoot: true, isDebian: true, fetch })).toBe(join(bin, 'delv'));
    expect(fetch.mock.calls).toEqual([[command]]);
  });

  test('is reported with the command to other users on Debian', async () => {
    const fetch = vi.fn(install);
    await expect(find('delv', { isRoot: false, isDebian: true, fetch })).rejects.toThrow(
      new Error(`cannot find delv: sudo ${command}`),
    );
    expect(fetch).not.toHaveBeenCalled();
  });

  test('is reported with its website on other systems', async () => {
    const fetch = vi.fn(install);
    await expect(find('delv', { isRoot: true, isDebian: false, fetch })).rejects.toThrow(
      new Error('cannot find delv: see https://www.isc.org/bind/'),
    );
    expect(fetch).not.toHaveBeenCalled();
  });

  test('is never fetched if the command changes more than installed packages', async () => {
    vi.spyOn(os, 'networkInterfaces').mockReturnValue({});
    const fetch = vi.fn(install);
    await expect(find('IPv6', { isRoot: true, isDebian: true, fetch })).rejects.toThrow(
      new Error('this machine has no IPv6: sysctl -w net.ipv6.conf.all.disable_ipv6=0'),
    );
    expect(fetch).not.toHaveBeenCalled();
  });

  test('is reported with the reason for which it cannot be fetched', async () => {
    const fetch = () => Promise.reject(Object.assign(new Error('1'), { stderr: 'Reading…\nE: no network\n' }));
    await expect(find('delv', { isRoot: true, isDebian: true, fetch })).rejects.toThrow(
      new Error(`cannot find delv, nor fetch it (E: no network): ${command}`),
    );
  });
});
