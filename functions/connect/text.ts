import { printable } from '../contract/printable.ts';
import type { Guide } from './guide.ts';
import { hostAndPort } from './program.ts';

/** Of a server with a resolver that forwards. */
export const allNames =
  'It answers all names: it can be the only DNS server of a network or tailnet. Resolvers that stay can forward the zones to it.';

/** Columns. */
const terminal = 100;

/**
 * The lines of a guide for a terminal.
 * @param program the id of a program: only that one
 */
export function* linesOf(guide: Guide, program?: string): Generator<string> {
  const { zones, families } = guide;
  if (program === undefined) yield* head(guide);
  if (zones.length === 0 || families.length === 0) yield 'there is nothing to connect to yet: no zone or no way in';
  for (const { name, servers, caution, programs } of families) {
    const shown = programs.filter(({ id }) => program === undefined || id === program);
    if (shown.length === 0 && !(caution && program === undefined)) continue;
    if (program === undefined) {
      yield '';
      yield `== ${name}${servers.length > 0 ? `, asking ${servers.map(hostAndPort).join(' ')}` : ''}`;
    }
    if (caution) yield* wrapped(`Caution: ${caution}.`);
    for (const { id, name: title, steps } of shown) {
      yield '';
      yield `-- ${title} (${id})`;
      for (const [i, { text, code }] of steps.entries()) {
        yield* wrapped(text);
        if (code === undefined) continue;
        yield '';
        // Not wrapped: it is to be pasted.
        yield* code.split('\n').map((line) => `    ${printable(line)}`.trimEnd());
        if (i < steps.length - 1) yield '';
      }
    }
  }
}

function* head({ instance, zones, ways, notes, answersAll }: Guide): Generator<string> {
  yield `Internal DNS ${printable(instance)}`;
  yield* wrapped(`Zones: ${zones.map(({ name }) => name).join(', ') || 'none yet'}`);
  for (const { service, type, servers, hostname } of ways) {
    const addresses = servers.map(hostAndPort).join(' ') || hostname || 'no address yet';
    yield printable(`Way in ${service} (${type}): ${addresses}`);
  }
  if (answersAll) yield* wrapped(allNames);
  for (const note of notes) yield* wrapped(`Note: ${note}`);
}

/** The text in lines of at most this many columns, unless a single word is longer. */
export function* wrapped(text: string, width = terminal): Generator<string> {
  let line = '';
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      yield line;
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  yield line;
}
