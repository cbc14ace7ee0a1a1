import { discoveredMark, type Mark } from '../../powerdns/rrset.ts';

/**
 * The labels that ExternalDNS's TXT registry keeps about a record: its owner and the object it is for.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/labels.go
 */
const heritage = 'external-dns';

/** Formats a mark as TXT content; undefined if the owner ID cannot be written as a label. */
export function contentOfMark({ account, content }: Mark): string | undefined {
  const owner = account.slice(discoveredMark('', '').account.length);
  if (!isValue(owner)) return undefined;
  const labels = [`heritage=${heritage}`, `${heritage}/owner=${owner}`];
  const text = [...labels, ...(isValue(content) ? [`${heritage}/resource=${content}`] : [])].join(',');
  // A character string has 255 octets at most (RFC 1035 section 3.3). The owner is in the first one.
  return (text.match(/.{1,255}/g) ?? []).map((string) => `"${string}"`).join(' ');
}

/** Parses the contents of a TXT RRset into a mark; undefined unless it has labels of a matching owner. */
export function markOfContents(records: string[], isOwner: (ownerID: string) => boolean): Mark | undefined {
  if (records.length !== 1) return undefined;
  const text = [...(records[0] ?? '').matchAll(/"([^"]*)"/g)].map(([, inside]) => inside).join('');
  const labels = new Map(
    text.split(',').map((label): [string, string] => {
      const [key = '', ...value] = label.split('=');
      return [key, value.join('=')];
    }),
  );
  const owner = labels.get(`${heritage}/owner`);
  if (labels.get('heritage') !== heritage || owner === undefined || !isOwner(owner)) return undefined;
  return discoveredMark(owner, labels.get(`${heritage}/resource`) ?? 'unknown');
}

/** Printable, without the delimiters of labels and text: commas, quotes and backslashes. */
const isValue = (text: string) => /^[!#-+\--[\]-~]+$/.test(text);
