import { discoveredMark, type Mark } from '../../powerdns/rrset.ts';

/**
 * What ExternalDNS's own registry says of a record, in a TXT record: who has made it, for which object.
 * https://github.com/kubernetes-sigs/external-dns/blob/v0.23.0/endpoint/labels.go
 */
const heritage = 'external-dns';

/** The TXT content that says what a mark says; undefined for an owner that cannot be said in it. */
export function contentOfMark({ account, content }: Mark): string | undefined {
  const owner = account.slice(discoveredMark('', '').account.length);
  if (!isValue(owner)) return undefined;
  const labels = [`heritage=${heritage}`, `${heritage}/owner=${owner}`];
  const text = [...labels, ...(isValue(content) ? [`${heritage}/resource=${content}`] : [])].join(',');
  // A string has 255 octets at most (RFC 1035 section 3.3), and the owner is in the first.
  return (text.match(/.{1,255}/g) ?? []).map((string) => `"${string}"`).join(' ');
}

/** The mark that says what a TXT RRset says, if it is of an owner who counts. */
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

/** Printable, and without what ends a label or the text: commas, quotes and backslashes. */
const isValue = (text: string) => /^[!#-+\--[\]-~]+$/.test(text);
