import { createHash } from 'node:crypto';
import type { Answer } from '../../dns/answer.ts';
import { checkTimes, placeholder } from '../../dns/health-check.ts';
import { parseIPv4, parseIPv6 } from '../../dns/rdata/address.ts';

// PowerDNS's Lua functions: https://doc.powerdns.com/authoritative/lua-records/functions.html
// Its image is built with LuaJIT for amd64 and with Lua 5.3 for arm64: the code must run on both.

type Type = 'A' | 'AAAA';
type Check = NonNullable<Answer['check']>;

/**
 * Returns the content of the LUA record that answers for an RRset of addresses, in the form in which PowerDNS returns it.
 * Throws on an invalid address. Needs `enable-lua-records=shared`, `lua-health-checks-interval=1` and
 * `lua-records-exec-limit=0`.
 */
export function luaContent(type: Type, values: string[], answer: Answer): string {
  const { check, weights } = answer;
  const pairs = weights ? `${weightPairs(type, values, weights)} ` : '';
  // None of the pick functions takes an empty list.
  const none = answer.whenAllDown === 'None' ? 'if #u==0 then return u end ' : '';
  const pick = `${none}${pickOf(answer)}`;
  if (!check) return record(type, `local u=${listOf(type, values)} ${pairs}${pick}`);
  return record(type, remembered(`${upOf(type, values, { ...answer, check })} ${pairs}`, pick));
}

/**
 * Returns the content of a LUA record that is answered with those addresses that pass a check, and with none if none does or
 * the check has not run yet. The check is that of `luaContent`, which PowerDNS runs once for both.
 */
export function passingContent(type: Type, values: string[], check: Check): string {
  return record(type, `local function up(v) ${checkOf(type, check)} end return up(${listOf(type, values)})`);
}

/** Returns the type and the addresses, without backups, of a record that `luaContent` made; undefined for any other. */
export function answeredBy(content: string): { type: Type; addresses: string[] } | undefined {
  // The text of a check has no quotes: see `literal`.
  const [, type, list] = /^(A|AAAA) ";.*?local [uv]=\{('[^{}]*')\}/.exec(content) ?? [];
  if (type === undefined || list === undefined) return undefined;
  return { type: type as Type, addresses: list.split(',').map((address) => address.slice(1, -1)) };
}

const record = (type: Type, code: string) => `${type} ";${code}"`;

// PowerDNS stops a check that has not been queried for an hour, lua-health-checks-expire-delay, and starts it again later.
const expiry = 3000;

/**
 * Compiles the code once, and runs `refresh` at most once a second, as its cost grows with the number of values. It sets `u`,
 * from which `pick` chooses. Every thread of PowerDNS has its own `checks`, with the second of the last refresh. `first` is
 * the second of the first one, or 0 once a value was up.
 */
function remembered(refresh: string, pick: string): string {
  const code = [
    'local c,first,u={last=0} checks=checks or {}',
    // Changed and removed records are no longer queried.
    `for k,o in pairs(checks) do if os.time()-o.last>${expiry} then checks[k]=nil end end checks[...]=c`,
    `function c.answer() local t=os.time() if t-c.last>${expiry} then first=t end`,
    `if t~=c.last then c.last=t ${refresh}end ${pick} end`,
    'return c',
  ].join(' ');
  const key = createHash('sha256').update(code).digest('hex').slice(0, 12);
  return `local c=checks and checks['${key}'] or (loadstring or load)([=[${code}]=])('${key}') return c.answer()`;
}

function upOf(type: Type, values: string[], { check, backup = [], whenAllDown }: Answer & { check: Check }): string {
  const setUp = `local function up(v) ${checkOf(type, check)} end local v=${listOf(type, values)} u=up(v)`;
  if (whenAllDown === undefined || whenAllDown === 'All') return `${setUp} if #u==0 then u=v end`;
  // PowerDNS reports a check that has not run yet as failed. It has run after the checks that were running when it was first
  // queried, 5 seconds at most, another second and its own timeout.
  const firstRun = 5 + 1 + checkTimes(check).timeout;
  const backedUp = `else v=${listOf(type, backup)} u=up(v) if #u==0 then u=v end `;
  const otherwise = whenAllDown === 'Backup' ? backedUp : '';
  return `${setUp} if #u>0 then first=0 elseif t-first<${firstRun} then u=v ${otherwise}end`;
}

function checkOf(type: Type, check: Check): string {
  const { port, url = '', contains, status = 200 } = check;
  const { interval, timeout } = checkTimes(check);
  const times = `interval='${number(interval)}',timeout='${number(timeout)}'`;
  const options = [`selector='all',backupSelector='empty',${times}`];
  if (port !== undefined) return `return ifportup(${number(port)},v,{${options}})`;
  options.push(`httpcode='${number(status)}',byteslimit='65536'`);
  if (contains !== undefined) options.push(`stringmatch=${literal(contains)}`);
  // PowerDNS parses the host up to a slash.
  const page = url.replace(/^(https?:\/\/[^/?#]*)(?=[?#]|$)/, '$1/');
  // Every value is checked, whatever the host.
  if (!page.includes(placeholder)) return `return ifurlup(${literal(page)},v,{${options}})`;
  const pieces = page.replace(`://${placeholder}`, type === 'A' ? '$&' : `://[${placeholder}]`).split(placeholder);
  const pageOfValue = pieces.map(literal).join('..a..');
  return `local p={} for _,a in ipairs(v) do p[a]=${pageOfValue} end return ifurlextup({p},{${options}})`;
}

/** Turns the addresses in `u` into pairs with weights. Backup addresses have none and weigh the same. */
function weightPairs(type: Type, values: string[], weights: number[]): string {
  const pairs = values.map((value, index) => `[${addressOf(type, value)}]=${number(weights[index] ?? 1)}`);
  return `local w,s={${pairs}},{} for i,a in ipairs(u) do s[i]={w[a] or 1,a} end u=s`;
}

function pickOf({ answer = 'All', weights }: Answer): string {
  if (answer === 'Closest') return closest;
  if (answer === 'Random') return 'return pickrandom(u)';
  if (answer === 'Weighted') return 'return pickwrandom(u)';
  if (answer === 'Sticky') return weights ? 'return pickwhashed(u)' : 'return pickhashed(u)';
  return 'return u';
}

// PowerDNS's own pickclosest queries a GeoIP database, which has no private addresses; without one it picks at random.
const closest = [
  'local c,near,most=bestwho:getRaw(),{},-1',
  'for _,a in ipairs(u) do local r,n=newCA(a):getRaw(),0',
  'if #r==#c then for i=1,#r do local x,y,m=r:byte(i),c:byte(i),128',
  'if x~=y then while (x<m)==(y<m) do n,x,y,m=n+1,x%m,y%m,m/2 end break end n=n+8 end end',
  'if n>most then near,most={a},n elseif n==most then near[#near+1]=a end end',
  'return near',
].join(' ');

const listOf = (type: Type, addresses: string[]) => `{${addresses.map((address) => addressOf(type, address))}}`;

const addressOf = (type: Type, text: string) => `'${(type === 'A' ? parseIPv4 : parseIPv6)(text)}'`;

function number(value: number): string {
  if (Number.isSafeInteger(value) && value >= 0) return `${value}`;
  throw new Error(`not a whole number: ${value}`);
}

/**
 * Returns a Lua expression for the octets of `text`. It has no double quotes and no backslashes, since PowerDNS does not
 * unescape the presentation format of a LUA record as others do, and no bracket that could close a long string.
 */
export function literal(text: string): string {
  const escaped = text.replace(/[^ !#-&(-[^-}]/gu, (character) =>
    Buffer.from(character).toString('hex').replace(/../g, '~$&'),
  );
  if (escaped === text) return `'${text}'`;
  return `(('${escaped}'):gsub('~(%x%x)',function(h) return string.char(tonumber(h,16)) end))`;
}
