/** `make bench`: every measure beside a baseline of the same run. Nothing is asserted, since a busy machine is no failure. */
import { benchChecks } from './checks.ts';
import { benchCluster, whyNoCluster } from './cluster.ts';
import { benchFunction } from './function.ts';
import { benchRecords } from './records.ts';

await benchFunction();
await benchRecords();
await benchChecks();

const obstacle = await whyNoCluster();
if (obstacle === undefined) await benchCluster();
else
  console.log(
    `\nLeft out, for want of a cluster with the packages: creation, latency, hosts, the pod at rest (${obstacle})`,
  );
