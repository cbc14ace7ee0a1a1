/** Runs once before all scenarios: installs the packages into a clean cluster and starts the watcher. */
import type { TestProject } from 'vitest/node';
import { clusterClient, exists, kubectl, list, remove, until, waitFor } from './cluster/kubectl.ts';
import { scenarioLabel } from './cluster/objects.ts';
import { configurationName, functionName, manifest } from './cluster/packages.ts';
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
  const kind = 'configuration.pkg.crossplane.io';
  await kubectl('delete', kind, configurationName, '--cascade=foreground', '--ignore-not-found', '--wait=true');
  await kubectl('delete', '-f', manifest, '--ignore-not-found', '--wait=true');
  await kubectl('delete', 'crd', '-l', scenarioLabel);
  await until('the kind is gone', async () => !(await exists('crd', 'internaldnses.dns.internal')));
}

/** Installs as in README.md. */
async function install(): Promise<void> {
  await kubectl('apply', '-f', manifest);
  await waitFor('Healthy', `configuration/${configurationName}`);
  await waitFor('Healthy', `function/${functionName}`);
  await waitFor('Established', 'xrd/internaldnses.dns.internal');
}
