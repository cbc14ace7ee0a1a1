/** Once for a run, before any scenario: the packages in a cluster that has none of it, and the watcher of the servers. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { clusterClient, exists, get, kubectl, list, patch, remove, until, waitFor } from './cluster/kubectl.ts';
import { scenarioLabel } from './cluster/objects.ts';
import { configurationName, functionName, functionPackage, registry, version } from './cluster/packages.ts';
import { serveWatcher, Watcher } from './cluster/watcher.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await uninstall();
  await install();
  const watcher = await Watcher.start(await clusterClient());
  const { url, server } = await serveWatcher(watcher);
  project.provide('watcher', url);
  return async () => {
    watcher.stop();
    server.close();
    server.closeAllConnections();
    // A scenario that failed early has not asked.
    for (const finding of watcher.findings()) console.error(`a write without a cause: ${finding}`);
  };
}

/** What earlier runs left, whatever they were. */
async function uninstall(): Promise<void> {
  for (const { metadata } of await list('internaldns').catch(() => [])) await remove('internaldns', metadata.name);
  await kubectl('delete', 'namespace', '-l', scenarioLabel, '--wait=true');
  for (const { metadata, spec } of await list('configuration')) {
    if (spec.package.startsWith(`${registry}/internal-dns-xp:`)) await remove('configuration', metadata.name);
  }
  await remove('function', functionName);
  await kubectl('delete', 'crd', '-l', scenarioLabel);
  await until('the kind is gone', async () => !(await exists('crd', 'internaldnses.dns.internal')));
}

/** As docs/operations.md has it: `configuration/` by an administrator, then the package. */
async function install(): Promise<void> {
  await kubectl('apply', '-R', '-f', 'configuration');
  // Where the cluster's registry really is, when an ImageConfig rewrites the packages' names: it matches what is rewritten.
  const rewritten = process.env.REWRITTEN_REGISTRY;
  if (rewritten) {
    const { spec } = await get('imageconfig', 'internal-dns');
    const prefix = `${rewritten}/internal-dns/cdk8s-function-xp`;
    await patch('imageconfig', 'internal-dns', {
      spec: { matchImages: [...spec.matchImages, { type: 'Prefix', prefix }] },
    });
  }
  const configuration = `${registry}/internal-dns-xp:${version}`;
  await promisify(execFile)('crossplane', ['xpkg', 'install', 'configuration', configuration]);
  await waitFor('Healthy', `configuration/${configurationName}`);
  await until('the Function is there', () => exists('function', functionName));
  // A dependency takes the latest that there is, and an earlier run may have pushed what it upgraded to.
  if ((await get('function', functionName)).spec.package !== functionPackage) {
    await patch('function', functionName, { spec: { package: functionPackage } });
  }
  await waitFor('Healthy', `function/${functionName}`);
  await waitFor('Established', 'xrd/internaldnses.dns.internal');
}
