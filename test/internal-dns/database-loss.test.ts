/** What start.sh does when the database goes, or is damaged, while PowerDNS has it open. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { paths } from '../../functions/internal-dns/names.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';
import type { PowerDNS } from '../powerdns/install.ts';
import { find } from '../programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'database-'));
afterAll(() => rmSync(folder, { recursive: true }));

const database = join(folder, 'pdns.sqlite3');
const [watches = '', file = ''] = /(^exec 9< .*?\n} &\n).*^exec 9<&-\n/ms.exec(powerdnsFiles['start.sh']) ?? [];

interface Case {
  watches: string;
  /** Happens again and again: the watches may not have begun. */
  event: () => void;
  looks: number;
  tail?: string;
  sqlite3?: string[];
}

/** Runs the watches beside a program in place of PowerDNS; returns how that ended, and what they said. */
async function during({ watches, event, looks, tail = 'tail', sqlite3 = [] }: Case) {
  const hurried = watches
    .replaceAll(/(sleep|-s) \d+/g, '$1 0.02')
    .replace(/^tail/m, tail)
    .replace('sqlite3', sqlite3.join(' '));
  const script = `set -eu\ndb=${database}\n${hurried}\necho started\nexec sleep ${looks * 0.02}\n`;
  const child = spawn('sh', ['-c', script], { detached: true });
  const closed = once(child, 'close');
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  await once(child.stdout, 'data');
  const events = setInterval(event, 20);
  const [code, signal] = await once(child, 'exit');
  clearInterval(events);
  // The watches, which a container takes with it.
  process.kill(-child.pid!, 'SIGKILL');
  await closed;
  return { end: signal ?? code, said };
}

/** More than are needed, on a busy machine too. */
const many = 1_500;

test('it watches the database that PowerDNS opens, every few seconds', () => {
  expect(powerdnsFiles['start.sh']).toContain(`db=${paths.database}/pdns.sqlite3\n`);
  const [, own, otherwise] = /^tail .* -s (\d+) .*?sleep (\d+);/ms.exec(watches) ?? [];
  expect(Math.max(Number(own), Number(otherwise))).toBeLessThan(5);
});

describe.each([
  ['tail is told', 'tail'],
  ['tail looks, as on a network file system', 'tail ---disable-inotify'],
  ['there is no tail', 'none-such'],
])('where %s', (_, tail) => {
  beforeEach(() => writeFileSync(database, 'here'));

  test.each([
    ['deleted', () => rmSync(database, { force: true })],
    [
      'replaced',
      () => {
        writeFileSync(`${database}.new`, 'another');
        renameSync(`${database}.new`, database);
      },
    ],
  ])('PowerDNS ends when the database is %s, and its restart makes another one', async (_, event) => {
    const { end, said } = await during({ watches: file, event, looks: many, tail });
    expect({ end, said }).toEqual({ end: 'SIGTERM', said: `restart: ${database} was deleted or replaced\n` });
  });

  test('it goes on while somebody writes to it', async () => {
    const event = () => writeFileSync(database, 'more');
    const { end, said } = await during({ watches: file, event, looks: 20, tail });
    expect({ end, said }).toEqual({ end: 0, said: '' });
  });
});

describe('with a real database', { tags: ['PowerDNS'] }, () => {
  let powerdns: PowerDNS;
  const run = (...statements: string[]) => {
    const [command, ...args] = powerdns.sqlite3 as [string, ...string[]];
    execFileSync(command, [...args, '-bail', '-cmd', '.timeout 10000', database, ...statements]);
  };

  beforeAll(async () => {
    powerdns = await find('PowerDNS');
  });

  beforeEach(() => {
    rmSync(database, { force: true });
    run('pragma journal_mode=wal', `.read ${powerdns.schema}`);
  });

  test('PowerDNS ends when it is replaced unnoticed', async () => {
    const event = () => {
      run(`vacuum into '${database}.new'`);
      renameSync(`${database}.new`, database);
    };
    const { end, said } = await during({ watches, event, looks: many, tail: 'sleep 60 && tail', ...powerdns });
    expect({ end, said }).toEqual({ end: 'SIGTERM', said: `restart: cannot read ${database}\n` });
  });

  test('PowerDNS ends when it is damaged in place', async () => {
    const event = () => writeFileSync(database, 'garbage');
    const { end, said } = await during({ watches, event, looks: many, ...powerdns });
    expect(end).toBe('SIGTERM');
    expect(said).toMatch(/error.*\nrestart: cannot read .*\n$/is);
  });

  test('it goes on while somebody writes to it', async () => {
    const event = () => run("insert or replace into domains (name, type) values ('corp.internal', 'NATIVE')");
    const { end, said } = await during({ watches, event, looks: 20, ...powerdns });
    expect({ end, said }).toEqual({ end: 0, said: '' });
  });
});
