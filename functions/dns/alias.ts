import { withoutDot } from './name.ts';
import type { Entry } from './rrset.ts';

/** What is wrong with where the CNAMEs of a zone lead, as far as the zone shows it: each fault is the later entry's. */
export function aliasFaults(entries: Entry[]): ReadonlyMap<Entry, string> {
  const aliases = new Map<string, Entry>();
  const delegations = new Map<string, Entry>();
  const faults = new Map<Entry, string>();
  for (const entry of entries) {
    const { name, type, content } = entry;
    if (type === 'CNAME' && !aliases.has(name)) {
      aliases.set(name, entry);
      const cut = delegations.get(name);
      if (cut) faults.set(entry, `${withoutDot(cut.name)} is delegated to this name (${cut.at}), ${mustHaveAddresses}`);
    } else if (type === 'NS') {
      if (!delegations.has(content)) delegations.set(content, entry);
      const alias = aliases.get(content);
      if (alias) faults.set(entry, `${withoutDot(content)} has a CNAME (${alias.at}), ${mustHaveAddresses}`);
    }
  }
  const order = new Map([...aliases.values()].map((alias, index) => [alias, index]));
  for (const loop of loopsOf(aliases)) {
    const last = loop.reduce((a, b) => (order.get(a)! > order.get(b)! ? a : b));
    const before = loop.find(({ content }) => content === last.name) as Entry;
    const message = `a loop: the CNAME of ${withoutDot(before.name)} (${before.at}) leads back here (RFC 1034 section 3.6.2)`;
    faults.set(last, message);
  }
  return faults;
}

const mustHaveAddresses = 'and a server must have addresses (RFC 2181 section 10.3)';

/** Each name is walked over once: a walk that meets its own steps has found a loop, one that meets others' has not. */
function* loopsOf(aliases: ReadonlyMap<string, Entry>): Generator<Entry[]> {
  const walks = new Map<Entry, number>();
  let walk = 0;
  for (const start of aliases.values()) {
    walk++;
    let here: Entry | undefined = start;
    for (; here && !walks.has(here); here = aliases.get(here.content)) walks.set(here, walk);
    if (here && walks.get(here) === walk) yield loopFrom(here, aliases);
  }
}

function loopFrom(start: Entry, aliases: ReadonlyMap<string, Entry>): Entry[] {
  const loop = [start];
  for (let here = aliases.get(start.content); here && here !== start; here = aliases.get(here.content)) loop.push(here);
  return loop;
}
