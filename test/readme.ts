/** The commands of the documentation, as a reader copies them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (file: string) => readFileSync(join(import.meta.dirname, '..', file), 'utf8');

export const readme = read('README.md');

const program = /^(?:\$ )?((?:make|kubectl|dig|crossplane|helm|node|npm|npx|curl|docker|crane|sh) .+)$/;

/** By heading, in their order: of code blocks, without comments, and of code in sentences. */
export function commandsIn(file: string): ReadonlyMap<string, readonly string[]> {
  const sections = read(file)
    .split(/^## /m)
    .map((section): [string, string[]] => {
      const code = section.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^ {4}(.+)$|`([^`\n]+)`/gm);
      const lines = [...code].map(([, block, span]) => (block ?? span ?? '').replace(/ +# .*$/, ''));
      const found = lines.flatMap((line) => program.exec(line)?.[1] ?? []);
      return [section.slice(0, section.indexOf('\n')), found];
    });
  return new Map(sections.filter(([, found]) => found.length > 0));
}
