/** Returns an error's message in one line. That of fetch is in its cause, which may have only a code. */
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
