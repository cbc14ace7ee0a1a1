/** What was imported from a zone file, and a line for each thing that was skipped or changed. */
export interface Imported<T> {
  value: T;
  notes: string[];
}

/** @param what its location and name, such as `line 3 (www.corp.internal A)` */
export const skippedNote = (what: string, why: string) => `skipped: ${what}: ${why}`;

/** The message of an issue in the style of the notes, which are in lower case. */
export const issueText = ({ message }: { message: string }) => message.charAt(0).toLowerCase() + message.slice(1);
