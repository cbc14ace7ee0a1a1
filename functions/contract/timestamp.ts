/** A time in RFC 3339, in UTC and whole seconds, as Kubernetes writes it. */
export const timestamp = (date: Date): string => date.toISOString().replace(/\.\d+/, '');
