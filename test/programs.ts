/** What tests run beside the project itself. */
import { findChromium } from './agent/page/chromium.ts';
import { findPrometheus } from './monitoring/install.ts';
import { findDelv } from './powerdns/delv.ts';
import { findPowerDNS } from './powerdns/install.ts';

/**
 * Fetches what is missing, one after the other, before test files wait for it side by side and run out of time. Of what
 * cannot be had the tests that need it say so.
 */
export async function setup(): Promise<void> {
  for (const find of [findPowerDNS, findDelv, findPrometheus, findChromium]) await find().catch(() => undefined);
}
