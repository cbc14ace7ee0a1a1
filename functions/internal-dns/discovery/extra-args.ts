import * as z from 'zod';
import { withCEL } from '../rules.ts';
import { insteadOf } from './refused-flag.ts';

interface Flag {
  /** The form of its value, as RE2 and JavaScript read it; a flag without has none. */
  value?: string;
  /** A value that it may have. */
  such?: string;
  repeats?: boolean;
}

const on: Flag = {};
const template: Flag = { value: '.+', such: '{{.Name}}.corp.internal', repeats: true };
const count: Flag = { value: '[1-9][0-9]{0,4}', such: '50' };

/** Flags of ExternalDNS v0.23 that change what its sources see and nothing else. */
const allowed: Readonly<Record<string, Flag>> = {
  'always-publish-not-ready-addresses': on,
  'combine-fqdn-annotation': on,
  'exclude-unschedulable': on,
  'expose-internal-ipv6': on,
  'fqdn-target-template': { ...template, such: '{{.Name}}.corp.internal:192.0.2.1' },
  'fqdn-template': template,
  'gateway-listener-sets': on,
  'ignore-ingress-rules-spec': on,
  'ignore-ingress-tls-spec': on,
  'ignore-non-host-network-pods': on,
  'kube-api-burst': count,
  'kube-api-qps': count,
  'kube-api-request-timeout': { value: '[1-9][0-9]{0,3}(ms|s|m)', such: '30s' },
  'log-level': { value: '(panic|fatal|error|warning|info|debug)', such: 'debug' },
  'openshift-router-name': { value: '.+', such: 'default' },
  'pod-source-domain': { value: '.+', such: 'pods.corp.internal' },
  'publish-host-ip': on,
  'resolve-service-load-balancer-hostname': on,
  'target-template': { ...template, such: '{{.Name}}.example.com' },
};

export const allowedFlags = Object.keys(allowed);

const written = (name: string, { such }: Flag) => (such === undefined ? `--${name}` : `--${name}=${such}`);

const forms = Object.entries(allowed).map(([name, { value }]) => (value ? `${name}=${value}` : `(no-)?${name}`));
const repeating = allowedFlags.filter((name) => allowed[name]?.repeats);

/** What the API server says of any other argument; the function says more. */
export const argumentRule = {
  rule: `self.matches('^--(${forms.join('|')})$')`,
  message: `extraArgs takes only flags that change what the sources of ExternalDNS see, written like these: ${Object.entries(
    allowed,
  )
    .map(([name, flag]) => written(name, flag))
    .join(', ')}`,
};

const flagIn = (argument: string) => `${argument}.split('=')[0].replace('--no-', '--')`;

/** That each flag is there once, but for those that ExternalDNS takes as lists. */
const onceRule = {
  rule: `self.all(a, a.matches('^--(${repeating.join('|')})=') || self.exists_one(b, ${flagIn('b')} == ${flagIn('a')}))`,
  message: `extraArgs repeats a flag: only ${repeating.map((name) => `--${name}`).join(', ')} can be repeated`,
};

export const extraArgs = withCEL(
  z
    .array(withCEL(z.string().min(1).max(1024).superRefine(judge), argumentRule))
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

function judge(argument: string, context: z.RefinementCtx): void {
  const fault = argumentFault(argument);
  if (fault) context.addIssue(fault);
}

/** What is wrong with an argument; undefined when nothing is. */
export function argumentFault(argument: string): string | undefined {
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

/** The flags that are given twice and may be given once. */
export function repeatedIn(args: readonly string[]): string[] {
  const names = args.map(flagOf);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].filter(
    (name) => !repeating.includes(name),
  );
}

/** The name of an argument's flag, without `no-`. */
export const flagOf = (argument: string): string => argument.replace(/^--(no-)?/, '').replace(/=.*$/s, '');

/** Those of our own arguments that the user has not replaced. */
export const unless = (args: readonly string[], own: readonly string[]): string[] =>
  own.filter((argument) => !args.some((each) => flagOf(each) === flagOf(argument)));

/** The parts of an Ingress whose hosts ExternalDNS is told to leave out. */
export const ignoredParts = (args: readonly string[]) =>
  (['rules', 'tls'] as const).filter((part) => args.includes(`--ignore-ingress-${part}-spec`));

/** Whether ExternalDNS is told to publish what the name of a Service's load balancer resolves to. */
export const resolvesHostnames = (args: readonly string[]) => args.includes('--resolve-service-load-balancer-hostname');
