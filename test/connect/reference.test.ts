import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withReference } from '../../functions/connect/reference.ts';

test('docs/clients.md is current', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/clients.md'), 'utf8');
  expect(page, 'run `make generate`').toBe(withReference(page));
});

test('a page without the marks is refused', () => {
  expect(() => withReference('# Clients\n')).toThrow(/^cannot write the reference: no lines <!-- Written by /);
});
