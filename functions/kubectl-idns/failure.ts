/** An error for people: "cannot X: cause: cure". */
export class Failure extends Error {}
