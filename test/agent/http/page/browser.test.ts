/**
 * The status page in a real Chromium.
 *
 * @module-tag Chromium
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { statusServer } from '../../../../functions/agent/http/status-server.ts';
import type { Overview } from '../../../../functions/agent/names/overview.ts';
import { printable } from '../../../../functions/contract/printable.ts';
import { verdicts } from '../../../../functions/contract/verdict.ts';
import { waitTimeoutMs } from '../../../timeouts.ts';
import { startChromium } from './chromium.ts';
import { hostile, known, longest, many, now, overviewOf, reach } from './overview.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let overview: Overview;
const server = statusServer({
  agent: { isReady: true, report: () => undefined, zone: () => undefined },
  overview: () => overview,
  powerdns: { metrics: async () => '' },
  metrics: new Registry(),
  now: () => now,
});
let origin: string;
let browser: Browser;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await startChromium();
});
afterAll(async () => {
  await browser?.close();
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  overview = overviewOf();
});

/** What a page must not do. */
interface Violations {
  /** Dialogs, errors and console messages, such as CSP violations. */
  messages: string[];
  /** Requests other than for the page. */
  requests: string[];
}

/** Visits the page and returns its violations. */
async function violationsOf(path: string, look: (page: Page) => Promise<void>, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(waitTimeoutMs);
  const violations: Violations = { messages: [], requests: [] };
  try {
    const page = await context.newPage();
    page.on('console', (message) => violations.messages.push(message.text()));
    page.on('pageerror', (error) => violations.messages.push(error.message));
    page.on('dialog', async (dialog) => {
      violations.messages.push(dialog.message());
      await dialog.dismiss();
    });
    page.on('request', (request) => {
      const isPage = request.isNavigationRequest() && request.url().startsWith(`${origin}/`);
      if (!isPage) violations.requests.push(request.url());
    });
    const answer = await page.goto(origin + path);
    expect(answer?.status()).toBe(200);
    await look(page);
  } finally {
    await context.close();
  }
  return violations;
}

const visit = async (...[path, look, options]: Parameters<typeof violationsOf>) =>
  expect(await violationsOf(path, look, options)).toEqual({ messages: [], requests: [] });

const namesOn = (page: Page) => page.locator('tbody th div:first-child').allTextContents();

describe('untrusted text', () => {
  const strange = [...hostile, longest];
  const all = strange.map((text) =>
    known(text, { resource: `ingress/shop/${text}`, message: text, answers: [`TXT ${text}`], verdict: 'Refused' }),
  );
  const active = 'script, img, iframe, object, [onerror], [onmouseover], [style]';
  const everywhere = () =>
    overviewOf(all, {
      instance: strange[0] as string,
      zones: strange.map((text) => ({ name: text, state: 'Failed', message: text })),
      resolution: { state: 'Blind', since: '2026-11-02T14:00:00Z', message: strange.join(' ') },
    });

  test.each(['light', 'dark'] as const)('is displayed as text everywhere (%s)', async (colorScheme) => {
    overview = everywhere();
    await visit(
      '/',
      async (page) => {
        expect(await namesOn(page)).toEqual(strange.map(printable));
        expect(await page.title()).toBe(`Internal DNS ${strange[0]}`);
        expect(await page.locator(active).count()).toBe(0);
        expect(await page.locator('form').count()).toBe(1);
      },
      { colorScheme },
    );
  });

  test('is displayed as text in a search', async () => {
    overview = everywhere();
    await visit('/', async (page) => {
      for (const host of strange) {
        await page.goto(`${origin}/?host=${encodeURIComponent(host.toWellFormed())}`);
        const normalized = printable(host.toWellFormed().trim().toLowerCase());
        expect(await page.getByLabel('Host').inputValue()).toBe(normalized);
        expect(await page.locator(active).count()).toBe(0);
      }
    });
  });

  test('could do nothing even without escaping, because of the CSP', async () => {
    let asked = 0;
    const elsewhere = createServer((_, response) => void response.end(`${asked++}`)).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const { port } = elsewhere.address() as AddressInfo;
    const { messages } = await violationsOf('/', async (page) => {
      const blocked = await page.evaluate<string[]>(`new Promise((resolve) => {
        const blocked = [];
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
          if (blocked.push(effectiveDirective) === 5) resolve(blocked.sort());
        });
        const add = (tag, properties) => document.body.appendChild(Object.assign(document.createElement(tag), properties));
        add('script', { textContent: 'document.body.id = "owned"' });
        add('img', { src: 'http://127.0.0.1:${port}/x.png' });
        add('p', {}).setAttribute('style', 'color: red');
        add('style', { textContent: '* { color: red }' });
        add('form', { action: 'http://127.0.0.1:${port}/' }).submit();
      })`);
      expect(blocked).toEqual(['form-action', 'img-src', 'script-src-elem', 'style-src-attr', 'style-src-elem']);
      expect([await page.locator('#owned').count(), page.url(), asked]).toEqual([0, `${origin}/`, 0]);
    });
    elsewhere.close();
    // One console message per violation, so every other test here would notice one.
    expect(messages).toHaveLength(5);
  });
});

describe('a search', () => {
  test('by typing and Enter', async () => {
    await visit('/', async (page) => {
      await page.getByLabel('Host').fill('SHOP.corp');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${origin}/?host=SHOP.corp`);
      expect(await namesOn(page)).toEqual(['shop.corp.internal', 'shop.corp.internal']);
      expect(await page.getByLabel('Host').inputValue()).toBe('shop.corp');
      expect(await page.getByRole('table').getAttribute('aria-label')).toBe(null);
      expect(await page.getByRole('table', { name: '2 names matching shop.corp' }).count()).toBe(1);
    });
  });

  test('for a host that no object requests says what to do', async () => {
    await visit('/', async (page) => {
      await page.getByLabel('Host').fill('cart.corp.internal');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByText('no object requests cart.corp.internal, which would be in the zone corp.internal').waitFor();
      expect(await page.getByRole('table').count()).toBe(0);
    });
  });

  test('and a verdict can be combined and cleared separately', async () => {
    await visit('/?host=shop', async (page) => {
      const verdictsOn = page.getByRole('navigation', { name: 'Verdicts' });
      await verdictsOn.getByRole('link', { name: 'Duplicate 1' }).click();
      await page.waitForURL(`${origin}/?host=shop&verdict=Duplicate`);
      expect(await page.getByRole('row').count()).toBe(1 + 1);
      expect(await verdictsOn.locator('[aria-current]').textContent()).toBe('Duplicate 1');
      await verdictsOn.getByRole('link', { name: 'All 3' }).click();
      await page.waitForURL(`${origin}/?host=shop`);
      expect(await page.getByRole('row').count()).toBe(1 + 3);
    });
  });

  test('works below a path, as with kubectl proxy', async () => {
    await visit('/', async (page) => {
      const behind = `${origin}/api/v1/namespaces/dns/services/idns-corp-status:8080/proxy/`;
      await page.route(`${behind}**`, async (route) => {
        const at = route.request().url().replace(behind, `${origin}/`);
        await route.fulfill({ response: await route.fetch({ url: at }) });
      });
      await page.goto(behind);
      await page.getByLabel('Host').fill('git');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${behind}?host=git`);
      await page.getByRole('link', { name: 'Resolved 1' }).click();
      await page.waitForURL(`${behind}?host=git&verdict=Resolved`);
      expect(await namesOn(page)).toEqual(['git.corp.internal']);
      await page.getByRole('link', { name: 'text' }).click();
      await page.waitForURL(`${behind}names.txt?host=git&verdict=Resolved`);
      expect(await page.locator('body').textContent()).toContain('git.corp.internal   Resolved');
    });
  });
});

test('verdict links and the search work without JavaScript', async () => {
  overview = overviewOf(verdicts.flatMap((verdict, i) => many(i + 1).map((name) => ({ ...name, verdict }))));
  await visit(
    '/',
    async (page) => {
      for (const [i, verdict] of verdicts.entries()) {
        await page.getByRole('link', { name: `${verdict} ${i + 1}`, exact: true }).click();
        await page.waitForURL(`${origin}/?verdict=${verdict}`);
        expect(await page.getByRole('rowheader').count()).toBe(i + 1);
      }
      await page.getByRole('link', { name: 'All 55' }).click();
      await page.waitForURL(`${origin}/`);
      await page.getByLabel('Host').fill('h9');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${origin}/?host=h9`);
      expect(await namesOn(page)).toEqual(['h9.corp.internal']);
    },
    { javaScriptEnabled: false },
  );
});

test('every control can be reached in order with the keyboard, with visible focus', async () => {
  await visit('/', async (page) => {
    const focused = () =>
      page.evaluate<[string, string]>(`(() => {
        const at = document.activeElement;
        return [at.labels?.[0]?.textContent ?? at.textContent, getComputedStyle(at).outline];
      })()`);
    const reached: string[] = [];
    for (;;) {
      await page.keyboard.press('Tab');
      const [text, outline] = await focused();
      if (await page.evaluate('document.activeElement === document.body')) break;
      expect([text, outline]).toEqual([text, expect.stringMatching(/ solid 2px$/)]);
      reached.push(text);
    }
    expect(reached).toEqual([
      'What to paste where',
      'Host',
      'Search',
      'All 13',
      'Resolved 5',
      ...verdicts.filter((verdict) => verdict !== 'Resolved' && verdict !== 'Held').map((verdict) => `${verdict} 1`),
      'JSON',
      'text',
    ]);

    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.type('git');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${origin}/?host=git`);
    for (let i = 0; i < 5; i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${origin}/?host=git&verdict=Resolved`);
    expect(await namesOn(page)).toEqual(['git.corp.internal']);
  });
});

describe.each(['light', 'dark'] as const)('accessibility, %s', (colorScheme) => {
  const everything = () =>
    overviewOf(
      verdicts.flatMap((verdict) => many(1).map((name) => ({ ...name, verdict }))),
      {
        zones: (['Serving', 'Pending', 'Failed', 'Retained'] as const).map((state) => ({
          name: `${state.toLowerCase()}.internal`,
          state,
          ...(state !== 'Serving' && { message: 'what is wrong with it' }),
        })),
        discovery: { state: 'Stalled' },
        resolution: { state: 'Stalled', since: '2026-11-02T14:00:00Z', message: 'ExternalDNS has stopped reporting' },
      },
    );
  test.each([
    ['everything', 1280, '/', everything],
    ['everything', 320, '/', everything],
    ['a search', 1280, '/?host=shop&verdict=Duplicate', overviewOf],
    ['nothing found', 1280, '/?host=cart.corp.internal', overviewOf],
    ['what to paste where', 320, '/connect', overviewOf],
  ] as const)('%s, %i px wide', async (_, width, path, what) => {
    overview = what();
    await violationsOf(
      path,
      async (page) => {
        await page.evaluate(axe);
        const { violations, passes } = await page.evaluate<AxeResults>('axe.run()');
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        const expected = ['color-contrast', 'region', ...(path === '/connect' ? [] : ['label'])];
        expect(passes.map(({ id }) => id)).toEqual(expect.arrayContaining(expected));
        const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
        expect(background).toBe(colorScheme === 'dark' ? 'rgb(20, 24, 28)' : 'rgb(255, 255, 255)');
      },
      // axe is a script, which the CSP blocks. Without the CSP Chromium also requests an icon, so requests are not checked here.
      { colorScheme, viewport: { width, height: 800 }, bypassCSP: true },
    );
  });
});

// At 1025 the table is at its narrowest: below, it is laid out as blocks.
describe.each([320, 1024, 1025, 1440])('%i px wide', (width) => {
  test.each(['usual names', 'untrusted text'])('nothing overflows or overlaps: %s', async (what) => {
    if (what !== 'usual names') {
      const texts = [...hostile, longest, 'x'.repeat(500)];
      overview = overviewOf(
        texts.map((text) => known(text, { resource: `ingress/${text}/${text}`, message: text, answers: [text] })),
        { zones: [{ name: longest, state: 'Failed', message: 'x'.repeat(500) }] },
      );
    }
    await visit(
      '/',
      async (page) => {
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        // Content wider than its cell would overlap the next one.
        const over = await page.evaluate<string[]>(
          `[...document.querySelectorAll('th, td, li, dd, p')].filter((e) => e.clientWidth > 1 && e.scrollWidth > e.clientWidth).map((e) => e.textContent)`,
        );
        expect(over).toEqual([]);
      },
      { viewport: { width, height: 800 } },
    );
  });
});

describe('what to paste where', () => {
  test('opens, and has another way in, without scripts', async () => {
    await visit(
      '/',
      async (page) => {
        await page.getByRole('link', { name: 'What to paste where' }).click();
        await page.waitForURL(`${origin}/connect`);
        expect(await page.locator('details[open]').count()).toBe(0);
        await page.getByText('Unbound', { exact: true }).click();
        expect(await page.locator('#unbound pre').innerText()).toContain('\n  stub-addr: 192.0.2.53@30053\n');
        await page.getByRole('link', { name: 'service', exact: true }).click();
        await page.waitForURL(`${origin}/connect?way=service`);
        await page.getByText('Unbound', { exact: true }).click();
        expect(await page.locator('#unbound pre').innerText()).toContain('\n  stub-addr: 10.96.0.53\n');
        await page.getByRole('link', { name: 'text' }).click();
        await page.waitForURL(`${origin}/connect.txt?way=service`);
        expect(await page.locator('body').innerText()).toContain('-- FRITZ!Box (fritzbox)');
      },
      { javaScriptEnabled: false },
    );
  });

  test.each([320, 1440])('overflows nowhere: %i px', async (width) => {
    const zones = [...hostile, longest].map((name) => ({ name, ds: [] }));
    overview = overviewOf([], { reach: { ...reach, zones } });
    await visit(
      '/connect',
      async (page) => {
        await page.evaluate(`for (const each of document.querySelectorAll('details')) each.open = true`);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        expect(await page.locator('script, img, iframe, object').count()).toBe(0);
      },
      { viewport: { width, height: 800 } },
    );
  });
});

const columns = ['Verdict', 'Reason', 'Answers', 'Since (UTC)', 'Propagation'];

test('a narrow table is still a table to screen readers, with a label at each value', async () => {
  await visit(
    '/?host=git',
    async (page) => {
      const accessibility = await page.context().newCDPSession(page);
      const { nodes } = await accessibility.send('Accessibility.getFullAXTree');
      const named = (role: string) => nodes.filter((node) => node.role?.value === role).map((node) => node.name?.value);
      expect(named('table')).toEqual(['1 name matching git']);
      expect(named('columnheader')).toEqual(['Name and object', ...columns]);
      expect(named('rowheader')).toEqual(['git.corp.internal ingress/forge/gitea']);
      expect(named('cell')).toHaveLength(columns.length);
      const labels = await page.evaluate<string[]>(
        `[...document.querySelectorAll('td')].map((cell) => getComputedStyle(cell, '::before').content)`,
      );
      expect(labels).toEqual(columns.map((column) => `"${column}"`));
    },
    { viewport: { width: 320, height: 800 } },
  );
});

test('of 5,000 names 500 are shown, and a search finds each of the others', async () => {
  overview = overviewOf(many(5_000));
  await visit('/', async (page) => {
    expect(await page.getByRole('rowheader').count()).toBe(500);
    await page.getByText('4,500 more names are not shown').waitFor();
    await page.getByLabel('Host').fill('h4999.corp.internal');
    await page.keyboard.press('Enter');
    await page.waitForURL(/host=h4999/);
    expect(await namesOn(page)).toEqual(['h4999.corp.internal']);
  });
});
