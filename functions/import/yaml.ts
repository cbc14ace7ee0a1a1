import { Document, visit } from 'yaml';

/**
 * Plain scalars that some parser reads as something other than a string. Kubernetes parses YAML 1.1 with the numbers of
 * Go and YAML 1.2 (https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go), others have base-60
 * numbers.
 */
const ambiguous = [
  /^(?:y|yes|n|no|on|off|true|false|null|~|=|<<)?$/i,
  /^[-+]?0[box][\da-f_]*$/i,
  /^[-+]?[\d_]*(?:\.[\d_]*)?(?:e[-+]?\d*)?$/i,
  /^[-+]?[\d_]+(?::[\d_.]+)+$/,
  /^[-+]?\.(?:inf|nan)$/i,
  /^\d{4}-\d{1,2}-\d{1,2}/,
];

const isAmbiguous = (text: string) => text.length <= 64 && ambiguous.some((form) => form.test(text));

/** Serializes to YAML in which every parser reads strings as strings. */
export function yamlOf(value: unknown): string {
  const document = new Document(value, { version: '1.1' });
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && isAmbiguous(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}
