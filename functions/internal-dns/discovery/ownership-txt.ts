import * as z from 'zod';
import { matching, withRules } from '../../contract/rules.ts';

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
        "Value of ExternalDNS's --txt-prefix. A prefix that ends in a dot keeps the TXT record of the zone apex inside the zone, and every label within 63 characters.",
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
        "Value of ExternalDNS's --txt-wildcard-replacement. No host can have the default as its name, because of the underscore (RFC 1123 section 2.1).",
      ),
  })
  .optional()
  .describe(
    "Also publishes the TXT records of ExternalDNS's own registry, for a migration to its built-in provider. See docs/discovery.md.",
  );
