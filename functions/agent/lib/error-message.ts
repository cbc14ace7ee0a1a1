/** Why something failed, in one line: fetch hides it in the cause, which may have nothing but a code. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const message = cause instanceof Error && (cause.message || (cause as NodeJS.ErrnoException).code);
  const lines = (message || error.message).split('\n');
  return lines.length === 1
    ? (lines[0] ?? '')
    : lines
        .map((line) => line.trim())
        .filter(Boolean)
        .join(' ');
}
