/**
 * Every capability in a real cluster, from the packages by their real names. In this order, because each scenario starts
 * where the one before left the cluster: `installation` installs, and `corp` of examples/minimal.yaml serves until the end.
 */
import { afterAll, describe } from 'vitest';
import { admission } from './admission.ts';
import { crowd } from './crowd.ts';
import { discovery } from './discovery.ts';
import { examples } from './examples.ts';
import { failures } from './failures.ts';
import { printFigures } from './figures.ts';
import { installation } from './installation.ts';
import { load, stream } from './load.ts';
import { monitoring } from './monitoring.ts';
import { move } from './move.ts';
import { neighbours } from './neighbours.ts';
import { outages } from './outages.ts';
import { owners } from './owners.ts';
import { permissions } from './permissions.ts';
import { policies } from './policies.ts';
import { records } from './records.ts';
import { refusals } from './refusals.ts';
import { replicas } from './replicas.ts';
import { symptoms } from './symptoms.ts';
import { upgrade } from './upgrade.ts';
import { verdicts } from './verdicts.ts';
import { zones } from './zones.ts';

describe('installation', installation);
describe('permissions', permissions);
describe('records', records);
describe('zones', zones);
describe('discovery', discovery);
describe('owners', owners);
describe('policies', policies);
describe('admission', admission);
describe('move', move);
describe('crowd', crowd);
describe('verdicts', verdicts);
describe('stream', stream);
describe('symptoms', symptoms);
describe('outages', outages);
describe('monitoring', monitoring);
describe('load', load);
describe('refusals', refusals);
describe('failures', failures);
describe('replicas', replicas);
describe('neighbours', neighbours);
describe('examples', examples);
describe('upgrade', upgrade);

afterAll(printFigures);
