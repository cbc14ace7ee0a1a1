import type { z } from 'zod';

/** Parses JSON of a known shape. Throws the first issue and its path in one line. */
export function parse<T extends z.ZodType>(text: string, shape: T): z.infer<T> {
  const result = shape.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${issue?.path.join('.') || 'text'}: ${issue?.message}`);
}
