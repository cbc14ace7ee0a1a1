import * as z from 'zod';
import { withCEL } from '../../contract/rules.ts';
import { insteadOf } from './refused-flag.ts';

interface Flag {
  /** Regular expression of its value, for RE2 and JavaScript. Undefined for a flag without a value. */
  value?: string;
  /** An example of its value. */
  example?: string;
  repeats?: boolean;
}

const on: Flag = {};
const template: Flag = { value: '.+', example: '{{.Name}}.corp.internal', repeats: true };
const count: Flag = { value: '[1-9][0-9]{0,4}', example: '50' };

/** Flags of ExternalDNS v0.23 that only change what its sources see. */
const allowed: Readonly<Record<string, Flag>> = {
  'always-publish-not-ready-addresses': on,
  'combine-fqdn-annotation': on,
  'exclude-unschedulable': on,
  'expose-internal-ipv6': on,
  'fqdn-target-template': { ...template, example: '{{.Name}}.corp.internal:192.0.2.1' },
  'fqdn-template': template,
  'gateway-listener-sets': on,
  'ignore-ingress-rules-spec': on,
  'ignore-ingress-tls-spec': on,
  'ignore-non-host-network-pods': on,
  'kube-api-burst': count,
  'kube-api-qps': count,
  'kube-api-request-timeout': { value: '[1-9][0-9]{0,3}(ms|s|m)', example: '30s' },
  'log-level': { value: '(panic|fatal|error|warning|info|debug)', example: 'debug' },
  'openshift-router-name': { value: '.+', example: 'default' },
  'pod-source-domain': { value: '.+', example: 'pods.corp.internal' },
  'publish-host-ip': on,
  'resolve-service-load-balancer-hostname': on,
  'target-template': { ...template, example: '{{.Name}}.example.com' },
};

export const allowedFlags = Object.keys(allowed);

const written = (name: string, { example }: Flag) => (example === undefined ? `--${name}` : `--${name}=${example}`);

const forms = Object.entries(allowed).map(([name, { value }]) => (value ? `${name}=${value}` : `(no-)?${name}`));
const repeating = allowedFlags.filter((name) => allowed[name]?.repeats);

/** The API server's check of an argument. The messages of the function are more specific. */
export const argumentRule = {
  rule: `self.matches('^--(${forms.join('|')})$')`,
  message: `extraArgs takes only flags that change what the sources of ExternalDNS see, written like these: ${Object.entries(
    allowed,
  )
    .map(([name, flag]) => written(name, flag))
    .join(', ')}`,
};

const flagIn = (argument: string) => `${argument}.split('=')[0].replace('--no-', '--')`;

/** Each flag can be given once, except those that are lists. */
const onceRule = {
  rule: `self.all(a, a.matches('^--(${repeating.join('|')})=') || self.exists_one(b, ${flagIn('b')} == ${flagIn('a')}))`,
  message: `extraArgs repeats a flag: only ${repeating.map((name) => `--${name}`).join(', ')} can be repeated`,
};

export const extraArgs = withCEL(
  z
    .array(withCEL(z.string().min(1).max(1024).superRefine(checkArgument), argumentRule))
    .max(32)
    .superRefine((args, context) => {
      for (const flag of repeatedIn(args)) context.addIssue(`--${flag} is given twice`);
    }),
  onceRule,
)
  .default([])
  .describe(
    'Additional flags of ExternalDNS, as --flag=value. Only flags that change what its sources see are allowed.',
  )
  .meta({ 'x-kubernetes-list-type': 'atomic' });

function checkArgument(argument: string, context: z.RefinementCtx): void {
  const issue = argumentIssue(argument);
  if (issue) context.addIssue(issue);
}

/** The issue of an argument; undefined if the argument is allowed. */
export function argumentIssue(argument: string): string | undefined {
  const [, negation, name, value] = /^--(no-)?([a-z0-9-]+)(?:=(.*))?$/s.exec(argument) ?? [];
  if (!name) return `not a flag: ${JSON.stringify(argument.slice(0, 40))} (such as --log-level=debug)`;
  const flag = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
  if (!flag) return `--${name} is not allowed: ${insteadOf(name) ?? argumentRule.message}`;
  if (!flag.value) {
    return value === undefined ? undefined : `--${name} has no value: write --${name} or --no-${name}`;
  }
  if (negation || !value) return `--${name} needs a value, such as ${written(name, flag)}`;
  if (new RegExp(`^${flag.value}$`).test(value)) return undefined;
  return `not a value of --${name}: ${JSON.stringify(value.slice(0, 80))} (such as ${written(name, flag)})`;
}

/** The flags that are given more than once although they are not lists. */
export function repeatedIn(args: readonly string[]): string[] {
  const names = args.map(flagOf);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].filter(
    (name) => !repeating.includes(name),
  );
}

/** The name of an argument's flag, without `no-`. */
export const flagOf = (argument: string): string => argument.replace(/^--(no-)?/, '').replace(/=.*$/s, '');

/** The function's own arguments without those whose flag the user has set. */
export const unlessOverridden = (args: readonly string[], own: readonly string[]): string[] =>
  own.filter((argument) => !args.some((each) => flagOf(each) === flagOf(argument)));

/** The parts of an Ingress whose hosts ExternalDNS ignores. */
export const ignoredParts = (args: readonly string[]) =>
  (['rules', 'tls'] as const).filter((part) => args.includes(`--ignore-ingress-${part}-spec`));

/** Reports whether names or targets come from Go templates. */
export const hasTemplates = (args: readonly string[]) =>
  args.some((argument) => ['fqdn-template', 'target-template', 'fqdn-target-template'].includes(flagOf(argument)));

/** Reports whether routes of ListenerSets are discovered, too. */
export const hasListenerSets = (args: readonly string[]) => args.includes('--gateway-listener-sets');

/** Reports whether ExternalDNS publishes the addresses that the hostname of a Service's load balancer resolves to. */
export const resolvesHostnames = (args: readonly string[]) => args.includes('--resolve-service-load-balancer-hostname');
