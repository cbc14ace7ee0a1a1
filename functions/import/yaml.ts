import { Document, visit } from 'yaml';

/**
 * What some reader takes for something else than text: Kubernetes' own is of YAML 1.1 with numbers of Go and of 1.2
 * (https://github.com/kubernetes-sigs/yaml/blob/master/goyaml.v2/resolve.go), and others have numbers in base 60.
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

/** YAML in which whatever is text is text to every reader. */
export function yamlOf(value: unknown): string {
  const document = new Document(value, { version: '1.1' });
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && isAmbiguous(scalar.value)) scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}
