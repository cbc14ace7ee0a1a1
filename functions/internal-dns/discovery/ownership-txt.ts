import * as z from 'zod';
import { matching, withRules } from '../rules.ts';

const prefixForm = '^([-a-z0-9_]|%[{]record_type[}])+([.]([-a-z0-9_]|%[{]record_type[}])+)*[.]?$';

export const ownershipTXT = z
  .object({
    prefix: withRules(
      z.string().min(1).max(63),
      matching(
        prefixForm,
        'prefix must consist of lower case letters, digits, hyphens, underscores, dots and %{record_type}, such as extdns-%{record_type}.',
      ),
    )
      .default('extdns-%{record_type}.')
      .describe(
        "ExternalDNS's --txt-prefix. One that ends in a dot keeps the record of a zone's top inside the zone and every label within 63 characters.",
      ),
    wildcardReplacement: withRules(
      z.string().min(1).max(63),
      matching(
        '^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?$',
        'wildcardReplacement must be one label of lower case letters, digits, hyphens and underscores',
      ),
    )
      .default('_wildcard')
      .describe(
        "ExternalDNS's --txt-wildcard-replacement. No host can have the default's name, because of the underscore (RFC 1123 section 2.1).",
      ),
  })
  .optional()
  .describe(
    "Publishes the TXT records of ExternalDNS's own registry as well, for a move to its built-in provider: docs/discovery.md.",
  );
