const mostItems = 4;
const mostCharacters = 100;

/** Joins the first few of some texts, each truncated: an object may have hundreds, of any length. */
export function shortList(texts: readonly string[]): string {
  const shown = texts
    .slice(0, mostItems)
    .map((text) => (text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text));
  const more = texts.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
