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

/** Why Kubernetes refused, in its own words: the `message` of a Status, parsed or as text. A proxy in between has others. */
export function kubernetesWords(code: number, body: unknown): string {
  return messageIn(body) || `Kubernetes answered ${code}`;
}

function messageIn(body: unknown): string | undefined {
  try {
    const status = typeof body === 'string' ? JSON.parse(body) : body;
    return typeof status?.message === 'string' ? status.message : undefined;
  } catch {
    return undefined;
  }
}
