/** A real Chromium, driven through its DevTools protocol. */
import { type Browser, chromium } from 'playwright-core';
import { find } from '../../../programs.ts';

export async function startChromium(isRoot = process.getuid?.() === 0): Promise<Browser> {
  // Chromium has no sandbox for root: https://crbug.com/638180
  return chromium.launch({ executablePath: await find('Chromium'), args: isRoot ? ['--no-sandbox'] : [] });
}
