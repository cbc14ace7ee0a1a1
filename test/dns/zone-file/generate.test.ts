// biome-ignore-all lint/suspicious/noTemplateCurlyInString: BIND writes its own templates so.
import { describe, expect, test } from 'vitest';
import { parseZoneFile } from '../../../functions/dns/zone-file/zone-file.ts';

const parse = (...lines: string[]) => parseZoneFile(lines.join('\n'), { name: 'corp.internal.' });

test.each([
  ['1-3', 'h$', ['h1', 'h2', 'h3']],
  ['0-5/2', 'h$', ['h0', 'h2', 'h4']],
  ['7-7/9', 'h-$-$', ['h-7-7']],
  ['9-10', 'h${0,3}', ['h009', 'h010']],
  ['1-2', 'h${-1}', ['h0', 'h1']],
  ['2-4', 'h${-3}', ['h-1', 'h0', 'h1']],
  ['24-24', 'h${-1000,6}', ['h-00976']],
  ['1024-1024', '${-2000,0,n}', ['0.3.c.f.f.f.f.f']],
  ['8-8', 'h${0,3,o}', ['h010']],
  ['255-255', 'h${0,4,x}-${0,4,X}', ['h00ff-00ff']],
  ['16-16', '${0,3,n}', ['0.1']],
  ['4660-4660', '${0,0,N}', ['4.3.2.1']],
  ['18-18', '${0,8,n}x', ['2.1.0.0.x']],
  ['1-1', 'h$x', ['h1x']],
])('$GENERATE %s %s makes the owners %j', (range, template, owners) => {
  const { entries, issues } = parse(`$GENERATE ${range} ${template} A 192.0.2.1`);
  expect(issues).toEqual([]);
  expect(entries.map(({ name }) => name)).toEqual(owners.map((owner) => `${owner}.corp.internal.`));
});

test.each([
  ['TTL and class', '$GENERATE 1-1 h$ 60 IN PTR www-$', 'PTR', 60, 'www-1.corp.internal.'],
  ['class and TTL', '$GENERATE 1-1 h$ IN 1m PTR www-$', 'PTR', 60, 'www-1.corp.internal.'],
  ['a value in quotes', '$GENERATE 1-1 h$ MX "1$ mail$"', 'MX', undefined, '11 mail1.corp.internal.'],
  ['several fields', '$GENERATE 1-1 h$ SRV 0 $ 80 web$', 'SRV', undefined, '0 1 80 web1.corp.internal.'],
  ['a text', '$GENERATE 1-1 h$ TXT "host $"', 'TXT', undefined, '"host 1"'],
  ['a dollar sign', '$GENERATE 1-1 h$ TXT "\\$ $$ $"', 'TXT', undefined, '"$ $ 1"'],
])('$GENERATE supports %s', (_, line, type, ttl, content) => {
  const at = 'line 1';
  expect(parse(line)).toMatchObject({ issues: [], entries: [{ name: 'h1.corp.internal.', type, ttl, content, at }] });
});

test('a record without an owner after $GENERATE has that of the record before it', () => {
  const { entries } = parse('www A 192.0.2.1', '$GENERATE 1-1 h$ A 192.0.2.$', '  A 192.0.2.2');
  expect(entries.map(({ name }) => name)).toEqual(['www.corp.internal.', 'h1.corp.internal.', 'www.corp.internal.']);
});

describe('$GENERATE refuses', () => {
  test.each([
    ['$GENERATE', '$GENERATE takes a range, an owner, a type and a value'],
    ['$GENERATE 1-2 h$', 'no type'],
    ['$GENERATE 2-1 h$ A 192.0.2.1', 'not a range of $GENERATE, such as 1-254 or 0-254/2: 2-1'],
    ['$GENERATE 1-2/0 h$ A 192.0.2.1', 'not a range of $GENERATE'],
    ['$GENERATE 1 h$ A 192.0.2.1', 'not a range of $GENERATE'],
    ['$GENERATE 1-9999999999/999999999 h$ A 192.0.2.1', 'a range of $GENERATE ends at 2147483647 at most'],
    ['$GENERATE 1-2 h${0,3 A 192.0.2.1', 'not an offset, a width (to 255) and a base of d, o, x, X, n, N: ${0,3'],
    ['$GENERATE 1-2 h${0,256} A 192.0.2.1', 'not an offset, a width (to 255)'],
    ['$GENERATE 1-2 h${0,1,b} A 192.0.2.1', 'not an offset, a width (to 255)'],
    ['$GENERATE 1-300 h A 192.0.2.$', 'not an IPv4 address: 192.0.2.256'],
    ['$GENERATE 1-2 h$ LUA A "$"', 'LUA is code'],
  ])('%s', (line, message) => {
    const { issues } = parse('', line);
    expect(issues[0]).toMatchObject({ at: 'line 2', message: expect.stringContaining(message) });
  });

  test('more than 65,536 records of one file, before it creates the first one over the limit', () => {
    const { entries, issues } = parse(
      '$GENERATE 1-65535 h$ A 192.0.2.1',
      '$GENERATE 1-2 i$ A 192.0.2.1',
      '$GENERATE 1-1 j A 192.0.2.1',
    );
    expect(entries).toHaveLength(65_535);
    expect(issues.map(({ at }) => at)).toEqual(['line 2', 'line 3']);
    expect(parse('$GENERATE 0-65535 h$ A 192.0.2.1')).toMatchObject({ issues: [], entries: { length: 65_536 } });
  });

  test('templates that would amplify their input', () => {
    const { entries, issues } = parse(`$GENERATE 1-65536 h$ TXT "${'${0,255}'.repeat(200)}"`);
    expect(entries.length).toBeLessThan(200);
    expect(issues).toMatchObject([
      { message: '$GENERATE is limited to 8388608 characters per file, and this makes more' },
    ]);
  });
});
