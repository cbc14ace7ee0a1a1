/** Upgrades and rollbacks as in docs/upgrading.md, with queries running. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';
import { figure } from './cluster/figures.ts';
import {
  apply,
  condition,
  dryRun,
  get,
  isTrue,
  kubectl,
  list,
  patch,
  until,
  waitFor,
  waitForQuiescence,
  waitForReady,
} from './cluster/kubectl.ts';
import { type Client, clientOf, watchAnswers } from './cluster/names.ts';
import { target } from './cluster/objects.ts';
import {
  configurationName,
  configurationPackageOf,
  functionName,
  functionPackageOf,
  manifest,
  push,
  pushConfiguration,
  version,
} from './cluster/packages.ts';
import { scenario } from './scenario.ts';

const address = '192.0.2.1';
const name = 'kept.upgrade.internal';

/** A later version, built with `make package VERSION=... BUILD=...`: its folder and its version. */
const { NEXT_BUILD: next = '', NEXT_VERSION: nextVersion = '' } = process.env;
const reason = next && nextVersion ? '' : ' (skipped: it needs NEXT_BUILD and NEXT_VERSION)';

const role = 'internal-dns:source:dnsendpoint';
const kindsOfTeams = ['machines', 'nameclaims', 'zones'];
const instances = ['upgrade', 'held'];

/** What kubectl says of the new field before and after, with and without its own validation. */
const unknownField = /unknown field "(spec\.)?motto"/;

/** A version of the Configuration with one more field and another pipeline. */
const withNewField = (file: string, text: string) =>
  file === 'apis/internaldns/definition.yaml'
    ? text.replace(/^( +)zones:\n/m, '$1motto:\n$1  type: string\n$&')
    : text.replace('- step: internal-dns', '- step: next-internal-dns');

/** Versions of the Configuration with another field that cannot be installed, and what Crossplane says of them. */
const impossible: [what: string, tag: string, required: RegExp, instead: string, message: string][] = [
  ['a Function that no registry has', 'v0.1.997', />=v[\d.]+, <v[\d.]+/, '>=v8.0.0, <v9.0.0', 'cdk8s-function-xp'],
  ['a newer Crossplane', 'v0.1.996', />=v2\.2\.0/, '>=v9.0.0', 'not compatible with Crossplane version'],
];

scenario('upgrade', ({ shop, ingress, internalDNS }) => {
  let client: Client;

  /** Runs a step of an upgrade while a client queries without a pause, and records what the client missed. */
  async function whileQueried(what: string, step: () => Promise<unknown>): Promise<void> {
    const watch = watchAnswers(client, name, address);
    const start = performance.now();
    await step();
    figure(what, (performance.now() - start) / 1000);
    const { asked, unanswered, longestGapSeconds } = await watch.stop();
    figure(`${what}: unanswered`, `${unanswered} of ${asked}, longest gap ${longestGapSeconds.toFixed(2)} s`, '');
    expect(await client.answer(name)).toBe(address);
  }

  const podsOf = (instance: string): Promise<KubernetesObject[]> =>
    list('pod', { namespace: 'internal-dns', labels: `app.kubernetes.io/instance=${instance}` });
  const uids = async () => (await Promise.all(instances.map(podsOf))).flat().map(({ metadata }) => metadata.uid);

  /** Waits until the Function of this version has rendered all, and the pods run its agent. Crossplane renders within a minute. */
  async function rollOut(tag: string): Promise<void> {
    for (const kind of ['statefulset', 'service', 'serviceaccount', 'role', 'networkpolicy']) {
      await until(`${kind} has the label of ${tag}`, async () => {
        const { metadata } = await get(kind, 'idns-upgrade', 'internal-dns');
        return metadata.labels?.['app.kubernetes.io/version'] === tag || metadata.labels;
      });
    }
    await until(`the pod runs the agent of ${tag}`, async () => {
      const pod = await get('pod', 'idns-upgrade-0', 'internal-dns');
      const agent = pod.spec.initContainers.find((c: { name: string }) => c.name === 'agent');
      return (agent.image === functionPackageOf(tag) && isTrue(pod, 'Ready')) || agent.image;
    });
    for (const instance of instances) await waitForReady(instance);
  }

  /** Makes Crossplane render now, as an impatient person does. */
  async function renderNow(cause: string): Promise<void> {
    for (const instance of instances) {
      await patch('internaldns', instance, { metadata: { annotations: { 'internal-dns/rendered-for': cause } } });
    }
  }

  /** The pipeline step of the revision that an InternalDNS uses. */
  async function stepOf(instance: string): Promise<string> {
    const { compositionRevisionRef } = (await get('internaldns', instance)).spec.crossplane;
    return (await get('compositionrevision', compositionRevisionRef.name)).spec.pipeline[0].step;
  }

  /** Waits until Crossplane has installed this version of the Configuration. */
  const becomesCurrent = (tag: string) =>
    until(`the Configuration is ${tag} and healthy`, async () => {
      const configuration = await get('configuration', configurationName);
      const isCurrent = configuration.status.currentIdentifier === configurationPackageOf(tag);
      return (isCurrent && isTrue(configuration, 'Healthy')) || configuration.status;
    });

  const becomesHealthy = (tag: string) =>
    until(`the Function is ${tag} and healthy`, async () => {
      const fn = await get('function', functionName);
      const isCurrent = fn.status.currentIdentifier === functionPackageOf(tag);
      return (isCurrent && isTrue(fn, 'Healthy')) || fn.status;
    });

  const updateConfiguration = (tag: string) =>
    patch('configuration', configurationName, { spec: { package: configurationPackageOf(tag) } });

  const motto = internalDNS('upgrade', { zones: [{ name: 'upgrade.internal' }], motto: 'festina lente' });

  beforeAll(async () => {
    await apply(
      internalDNS('upgrade', { zones: [{ name: 'upgrade.internal' }] }),
      internalDNS('held', {
        zones: [{ name: 'held.internal' }],
        crossplane: { compositionUpdatePolicy: 'Manual' },
      }),
      ingress({ name: 'kept', hosts: [name], annotations: { [target]: address } }),
    );
    for (const instance of instances) await waitForReady(instance);
    client = await clientOf('upgrade');
    await client.becomes(name, address);
  });

  // Other scenarios use what this one leaves.
  afterAll(async () => {
    await kubectl('apply', '-f', manifest);
    await becomesCurrent(version);
    await waitFor('Healthy', `function/${functionName}`);
  });

  test('with the configuration/ of a release without kinds of teams, Synced names what is missing; with this one they are served', async () => {
    await whileQueried('configuration/ applied after it was missing', async () => {
      await kubectl('delete', 'crd', ...kindsOfTeams.map((kind) => `${kind}.dns.internal`), '--wait=true');
      const { rules } = await get('clusterrole', 'internal-dns:crossplane');
      const older = rules.map((rule: { resourceNames?: string[] }) => ({
        ...rule,
        resourceNames: rule.resourceNames?.filter((bound) => bound !== role),
      }));
      await patch('clusterrole', 'internal-dns:crossplane', { rules: older });
      await kubectl('delete', 'clusterrole', role);
      await patch('internaldns', 'upgrade', {
        spec: { discovery: { sources: [{ kind: 'Ingress' }, { kind: 'DNSEndpoint' }, { kind: 'Machine' }] } },
      });
      await until('Synced is False and names the role', async () => {
        const { status, message = '' } = await condition('upgrade', 'Synced');
        return (status === 'False' && message.includes(role)) || message;
      });
      await kubectl('apply', '-f', manifest);
      await waitFor('Synced', 'internaldns/upgrade');
      await until('the binding exists', async () => {
        const bindings = await list('clusterrolebinding', { labels: 'app.kubernetes.io/instance=upgrade' });
        return bindings.some(({ roleRef }) => roleRef.name === role);
      });
      await waitForReady('upgrade');
      await apply({
        apiVersion: 'dns.internal/v1alpha1',
        kind: 'Machine',
        metadata: { name: 'later', namespace: shop },
        spec: { addresses: ['192.0.2.4'] },
      });
      await client.becomes('later.upgrade.internal', '192.0.2.4');
    });
    await patch('internaldns', 'upgrade', { spec: { discovery: { sources: null } } });
    await waitForQuiescence('upgrade');
    await waitForReady('upgrade');
  });

  test.skipIf(reason)(`a later Function rolls out without losing a record${reason}`, async () => {
    await push(`${next}/cdk8s-function-xp.xpkg`, functionPackageOf(nextVersion));
    await whileQueried('Function upgraded', async () => {
      await patch('function', functionName, { spec: { package: functionPackageOf(nextVersion) } });
      await rollOut(nextVersion);
    });
  });

  test.skipIf(reason)(`the Function is rolled back without losing a record${reason}`, async () => {
    await whileQueried('Function rolled back', async () => {
      await patch('function', functionName, { spec: { package: functionPackageOf(version) } });
      await becomesHealthy(version);
      await renderNow(version);
      await rollOut(version);
    });
  });

  test.skipIf(reason)(`install.yaml of a later version upgrades everything${reason}`, async () => {
    await push(`${next}/internal-dns-xp.xpkg`, configurationPackageOf(nextVersion));
    await whileQueried('install.yaml of a later version', async () => {
      await kubectl('apply', '-f', `${next}/install.yaml`);
      await becomesCurrent(nextVersion);
      await becomesHealthy(nextVersion);
    });
  });

  test.skipIf(reason)(`install.yaml of the earlier version goes back${reason}`, async () => {
    await whileQueried('install.yaml of the earlier version', async () => {
      await kubectl('apply', '-f', manifest);
      await becomesCurrent(version);
      await becomesHealthy(version);
      // It may have rendered with the other version in between.
      await renderNow(version);
      await rollOut(version);
    });
  });

  test('a later Configuration serves its new field, restarts nothing, and spares who holds a revision', async () => {
    await expect(dryRun(motto)).rejects.toThrow(unknownField);
    const before = await uids();
    await pushConfiguration('v0.1.998', withNewField);
    await whileQueried('Configuration upgraded', async () => {
      await updateConfiguration('v0.1.998');
      await becomesCurrent('v0.1.998');
      await until('the API server knows the new field', () => dryRun(motto).then(() => true));
      await apply(motto);
      await until('the other InternalDNS follows the Composition', async () => {
        const step = await stepOf('upgrade');
        return step === 'next-internal-dns' || step;
      });
    });
    expect((await get('internaldns', 'upgrade')).spec.motto).toBe('festina lente');
    expect(await stepOf('held')).toBe('internal-dns');
    for (const instance of instances) await waitForReady(instance);
    expect(await uids()).toEqual(before);
  });

  test.each(impossible)('a Configuration that needs %s changes nothing, and says so', async (...wanted) => {
    const [what, tag, required, instead, message] = wanted;
    await pushConfiguration(tag, (file, text) => {
      return withNewField(file, file === 'crossplane.yaml' ? text.replace(required, instead) : text).replace(
        'motto',
        'song',
      );
    });
    const before = await get('xrd', 'internaldnses.dns.internal');
    await whileQueried(`Configuration that needs ${what}`, async () => {
      await updateConfiguration(tag);
      await until(`Crossplane says "${message}"`, async () => {
        const { conditions } = (await get('configuration', configurationName)).status;
        const messages = conditions.filter(({ status }: { status: string }) => status !== 'True');
        return JSON.stringify(messages).includes(message) || conditions;
      });
    });
    expect((await get('xrd', 'internaldnses.dns.internal')).spec).toEqual(before.spec);
    for (const instance of instances) await waitForReady(instance);
  });

  test('the Configuration is rolled back: the field is gone, and nothing else', async () => {
    const before = await uids();
    await whileQueried('Configuration rolled back', async () => {
      await updateConfiguration(version);
      await becomesCurrent(version);
      await until('the API server refuses the field', () =>
        dryRun(motto).then(
          () => 'accepted',
          ({ message }) => unknownField.test(message) || message,
        ),
      );
      await until('the InternalDNS follows the Composition', async () => {
        const step = await stepOf('upgrade');
        return step === 'internal-dns' || step;
      });
    });
    await waitForQuiescence('upgrade');
    expect((await get('internaldns', 'upgrade')).spec).not.toHaveProperty('motto');
    for (const instance of instances) await waitForReady(instance);
    expect(await uids()).toEqual(before);
  });

  test('without a pod of the Function, Synced says so; servers go on answering, and discover', async () => {
    await whileQueried('Function without pods', async () => {
      const before = await get('statefulset', 'idns-upgrade', 'internal-dns');
      const { replicas } = (await get('deploymentruntimeconfig', 'internal-dns')).spec.deploymentTemplate.spec;
      const scale = (count: number) =>
        patch('deploymentruntimeconfig', 'internal-dns', {
          spec: { deploymentTemplate: { spec: { replicas: count } } },
        });
      await scale(0);
      await until('it has no pod', async () => {
        const pods = await list('pod', {
          namespace: 'crossplane-system',
          labels: `pkg.crossplane.io/function=${functionName}`,
        });
        return pods.length === 0 || pods.length;
      });
      await patch('internaldns', 'upgrade', { spec: { replicas: 2 } });
      // Crossplane's call waits for a connection until its reconcile times out, after two minutes:
      // https://github.com/crossplane/crossplane/blob/v2.4.0/internal/controller/apiextensions/composite/reconciler.go
      await until('Synced is False and names the Function', async () => {
        const { status, message = '' } = await condition('upgrade', 'Synced');
        return (status === 'False' && message.includes(functionName)) || message;
      });
      await discovers('no-pod', '192.0.2.2');
      const after = await get('statefulset', 'idns-upgrade', 'internal-dns');
      expect(after.metadata.generation).toBe(before.metadata.generation);
      await scale(replicas);
      await waitFor('Synced', 'internaldns/upgrade');
    });
    await waitForReady('upgrade');
  });

  test('a Function that is deleted is installed again; servers go on answering, and discover', async () => {
    await whileQueried('Function deleted', async () => {
      const { uid } = (await get('function', functionName)).metadata;
      await kubectl('delete', 'function', functionName, '--wait=true');
      await discovers('deleted', '192.0.2.3');
      await until('Crossplane has installed another', async () => {
        const fn = await get('function', functionName);
        return fn.metadata.uid !== uid && isTrue(fn, 'Healthy');
      });
    });
    await waitForReady('upgrade');
  });

  async function discovers(label: string, value: string): Promise<void> {
    const host = `${label}.upgrade.internal`;
    await apply(ingress({ name: label, hosts: [host], annotations: { [target]: value } }));
    await client.becomes(host, value);
  }
});
