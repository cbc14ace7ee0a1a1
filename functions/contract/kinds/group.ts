/** The API group of all kinds of this project, and its version. */
export const group = 'dns.internal';
export const version = 'v1alpha1';
