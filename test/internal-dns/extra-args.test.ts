import { describe, expect, test } from 'vitest';
import {
  allowedFlags,
  argumentIssue,
  argumentRule,
  repeatedIn,
} from '../../functions/internal-dns/discovery/extra-args.ts';

/** Arguments that the API server accepts. */
const form = new RegExp(/'(.*)'/.exec(argumentRule.rule)?.[1] ?? '');

describe('an argument for ExternalDNS', () => {
  test.for([
    ['--provider=pdns', '--provider is not allowed: leave it out: the agent is the provider'],
    ['--pdns-server=http://a', '--pdns-server is not allowed: leave it out: the agent is the provider'],
    [
      '--registry=txt',
      '--registry is not allowed: the agent keeps the registry: use discovery.ownerID and discovery.ownershipTXT',
    ],
    [
      '--txt-prefix=a',
      '--txt-prefix is not allowed: the agent keeps the registry: use discovery.ownerID and discovery.ownershipTXT',
    ],
    [
      '--txt-cache-interval=1m',
      '--txt-cache-interval is not allowed: leave it out: the agent answers from memory, and a cache only delays names',
    ],
    ['--policy=upsert-only', '--policy is not allowed: use discovery.policy'],
    ['--once', '--once is not allowed: leave it out: ExternalDNS has to keep running'],
    ['--dry-run', '--dry-run is not allowed: use discovery.policy: Preview'],
    [
      '--domain-filter=a.internal',
      '--domain-filter is not allowed: the zones are the filter: use zones and discovery.excludedDomains',
    ],
    ['--label-filter=a=b', '--label-filter is not allowed: use discovery.selector'],
    [
      '--nat64-networks=64:ff9b::/96',
      '--nat64-networks is not allowed: declare A records in zones: the agent cannot tell which object a translated address belongs to',
    ],
    ['--min-ttl=1m', '--min-ttl is not allowed: use discovery.defaultTTL, or discovery.minimumTTL for a floor'],
    ['--kubeconfig=/a', `--kubeconfig is not allowed: ${argumentRule.message}`],
    ['--constructor=a', `--constructor is not allowed: ${argumentRule.message}`],
    ['log-level=debug', 'not a flag: "log-level=debug" (such as --log-level=debug)'],
    ['--log-level=debug --once', 'not a value of --log-level: "debug --once" (such as --log-level=debug)'],
    ['--publish-host-ip=true', '--publish-host-ip has no value: write --publish-host-ip or --no-publish-host-ip'],
    ['--no-fqdn-template', '--fqdn-template needs a value, such as --fqdn-template={{.Name}}.corp.internal'],
    ['--fqdn-template=', '--fqdn-template needs a value, such as --fqdn-template={{.Name}}.corp.internal'],
  ] as const)('%s is refused', ([argument, fault]) => {
    expect(argumentIssue(argument)).toBe(fault);
    expect(argument).not.toMatch(form);
  });

  test.for([
    '--fqdn-template={{.Name}}.{{.Namespace}}.corp.internal',
    '--no-exclude-unschedulable',
    '--gateway-listener-sets',
    '--kube-api-request-timeout=30s',
    '--no-resolve-service-load-balancer-hostname',
  ])('%s is allowed', (argument) => {
    expect(argumentIssue(argument)).toBeUndefined();
    expect(argument).toMatch(form);
  });

  test('may be repeated only if ExternalDNS accepts a list', () => {
    expect(repeatedIn(['--fqdn-template=a', '--fqdn-template=b', '--log-level=info'])).toEqual([]);
    expect(repeatedIn(['--log-level=info', '--publish-host-ip', '--no-publish-host-ip', '--log-level=debug'])).toEqual([
      'publish-host-ip',
      'log-level',
    ]);
  });
});

test('the message of the API server lists the allowed flags, in order, as they may be written', () => {
  expect(allowedFlags).toEqual([...allowedFlags].sort());
  const examples = argumentRule.message.split('written like these: ')[1]?.split(', ') ?? [];
  expect(examples.map((argument) => argument.slice(2).split('=')[0])).toEqual(allowedFlags);
  for (const argument of examples) {
    expect(argumentIssue(argument)).toBeUndefined();
    expect(argument).toMatch(form);
  }
});
