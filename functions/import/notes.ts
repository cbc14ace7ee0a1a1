/** What of a zone file can be declared, and a line for people for whatever cannot. */
export interface Imported<T> {
  value: T;
  notes: string[];
}

/** @param what it is and where, such as `line 3 (www.corp.internal A)` */
export const skippedNote = (what: string, why: string) => `left out, since it would be refused: ${what}: ${why}`;

/** What a schema says, as people are told it here. */
export const issueText = ({ message }: { message: string }) => message.charAt(0).toLowerCase() + message.slice(1);
