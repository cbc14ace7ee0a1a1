/** What start.sh does when the database goes while PowerDNS has it open. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { paths } from '../../functions/internal-dns/names.ts';
import { powerdnsFiles } from '../../functions/internal-dns/server/powerdns.ts';

const folder = mkdtempSync(join(tmpdir(), 'database-'));
afterAll(() => rmSync(folder, { recursive: true }));

const database = join(folder, 'pdns.sqlite3');
const [watch = ''] = /^exec 9< .*?^exec 9<&-$/ms.exec(powerdnsFiles['start.sh']) ?? [];

/** Runs the watch beside a program in place of PowerDNS; returns how that ended, and what the watch said. */
async function during(event: () => void, { looks }: { looks: number }) {
  writeFileSync(database, 'here');
  const hurried = watch.replace(/sleep \d+/, 'sleep 0.02');
  const script = `set -eu\ndb=${database}\n${hurried}\necho started\nexec sleep ${looks * 0.02}\n`;
  const child = spawn('sh', ['-c', script], { detached: true });
  const closed = once(child, 'close');
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  await once(child.stdout, 'data');
  event();
  const [code, signal] = await once(child, 'exit');
  // The watch, which a container takes with it.
  if (code === 0) process.kill(-child.pid!, 'SIGKILL');
  await closed;
  return { end: signal ?? code, said };
}

/** More than are needed, on a busy machine too. */
const many = 1_500;

test('it watches the database that PowerDNS opens', () => {
  expect(powerdnsFiles['start.sh']).toContain(`db=${paths.database}/pdns.sqlite3\n`);
  expect(Number(/sleep (\d+)/.exec(watch)?.[1])).toBeLessThan(5);
});

test.each([
  ['deleted', () => rmSync(database)],
  [
    'replaced',
    () => {
      writeFileSync(`${database}.new`, 'another');
      renameSync(`${database}.new`, database);
    },
  ],
])('PowerDNS ends when it is %s, and its restart makes another one', async (_, event) => {
  const { end, said } = await during(event, { looks: many });
  expect({ end, said }).toEqual({ end: 'SIGTERM', said: `restart: ${database} was deleted or replaced\n` });
});

test('it goes on while somebody writes to it', async () => {
  const { end, said } = await during(() => writeFileSync(database, 'more'), { looks: 20 });
  expect({ end, said }).toEqual({ end: 0, said: '' });
});
