/** What the API server answers instead of what was requested: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly code: number;
  /** Such as `NotFound`; empty when a proxy answered. */
  readonly reason: string;

  /** @param body a Status, parsed or as text, or whatever a proxy answers */
  constructor(code: number, body: unknown) {
    const { message, reason } = statusIn(body);
    super(message || `Kubernetes answered ${code}`);
    this.code = code;
    this.reason = reason;
  }
}

/** Reports whether an error is an `ApiError` with one of these HTTP statuses. */
export const isApiError = (error: unknown, ...codes: number[]): error is ApiError =>
  error instanceof ApiError && codes.includes(error.code);

/** Returns an error handler that ignores an `ApiError` with this status. */
export const unless = (code: number) => (error: unknown) => {
  if (isApiError(error, code)) return undefined;
  throw error;
};

function statusIn(body: unknown): { message: string; reason: string } {
  const { message, reason } = objectIn(body);
  return { message: textIn(message), reason: textIn(reason) };
}

function objectIn(body: unknown): { message?: unknown; reason?: unknown } {
  try {
    return (typeof body === 'string' ? JSON.parse(body) : body) ?? {};
  } catch {
    return {};
  }
}

const textIn = (value: unknown) => (typeof value === 'string' ? value : '');
