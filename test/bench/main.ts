/** `make bench`: each figure next to a baseline from the same run. Nothing is asserted: a busy machine is not a failure. */
import { benchAnswers } from './answers.ts';
import { benchChecks } from './checks.ts';
import { benchCluster, clusterError } from './cluster.ts';
import { benchFunction } from './function.ts';
import { benchHostNames } from './host-names.ts';
import { benchIdleAgent } from './idle-agent.ts';
import { benchMachines } from './machines.ts';
import { benchRecords } from './records.ts';
import { benchThroughCoreDNS } from './through-coredns.ts';
import { benchTooEarly } from './too-early.ts';

await benchFunction();
await benchRecords();
await benchChecks();
await benchHostNames();
await benchIdleAgent();
await benchMachines();
await benchAnswers();
await benchTooEarly();
await benchThroughCoreDNS();

const error = await clusterError();
if (error === undefined) await benchCluster();
else
  console.log(`\nSkipped without a cluster that has the packages: creation, latency, hosts, the idle pod (${error})`);
