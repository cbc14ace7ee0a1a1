/** `make bench`: each figure next to a baseline from the same run. Nothing is asserted: a busy machine is not a failure. */
import { benchChecks } from './checks.ts';
import { benchCluster, clusterError } from './cluster.ts';
import { benchFunction } from './function.ts';
import { benchRecords } from './records.ts';

await benchFunction();
await benchRecords();
await benchChecks();

const error = await clusterError();
if (error === undefined) await benchCluster();
else
  console.log(`\nSkipped without a cluster that has the packages: creation, latency, hosts, the idle pod (${error})`);
