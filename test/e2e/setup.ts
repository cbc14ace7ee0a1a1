/** Runs once before all scenarios: installs the packages into a clean cluster and starts the watcher. */
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
    // A scenario that failed early has not checked its own.
    for (const finding of watcher.findings()) console.error(`a write without a cause: ${finding}`);
  };
}

/** Removes what earlier runs left. */
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

/** Installs as in docs/operations.md: `configuration/` by an administrator, then the package. */
async function install(): Promise<void> {
  await kubectl('apply', '-R', '-f', 'configuration');
  // If an ImageConfig rewrites the package names to another registry, ours must match the rewritten names.
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
  await until('the Function exists', () => exists('function', functionName));
  // Crossplane installs the latest version of a dependency, and an earlier run may have pushed one to upgrade to.
  if ((await get('function', functionName)).spec.package !== functionPackage) {
    await patch('function', functionName, { spec: { package: functionPackage } });
  }
  await waitFor('Healthy', `function/${functionName}`);
  await waitFor('Established', 'xrd/internaldnses.dns.internal');
}
