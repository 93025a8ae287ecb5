// Chromium without a window, where there is one, and what it has to say of a page.

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { findProgram } from '#test/support/find-program.ts';

/** It asks nobody outside for anything. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];
const LAUNCH_MS_MAX = 60_000;

const found = findProgram('chromium', { variable: 'CHROMIUM_BIN', versionWord: '--version' });

/** Why pages are not looked at here; false where they are. */
export const withoutBrowser: string | false =
  found === undefined && 'there is no chromium on the PATH, and CHROMIUM_BIN names none';

export async function launch(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    ...{ executablePath: found?.path ?? '', args: ARGUMENTS, timeout: LAUNCH_MS_MAX },
  });
  t.teardown(() => browser.close());
  return browser;
}

export interface WatchedPage {
  readonly page: Page;
  /** What the console said, refused and failed: nothing, of a page that is well. */
  readonly faults: string[];
  /** Of all that it has loaded, with headers. */
  readonly transferredBytes: () => Promise<number>;
}

export async function openPage(
  t: Test,
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  t.teardown(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  const sizes: Promise<number>[] = [];
  page.on('console', message => faults.push(message.text()));
  page.on('pageerror', error => faults.push(error.message));
  page.on('requestfailed', request => faults.push(`${request.url()} failed`));
  page.on('requestfinished', request => {
    const size = request.sizes().then(each => each.responseHeadersSize + each.responseBodySize);
    sizes.push(size);
  });
  const transferredBytes = async () =>
    (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  return { page, faults, transferredBytes };
}

export interface Contrast {
  readonly text: string;
  readonly ratio: number;
}

/** Texts with too little contrast to what is behind them (WCAG 2.2, 1.4.3). */
export function faintTexts(page: Page, leastRatio: number): Promise<Contrast[]> {
  return page.evaluate<Contrast[]>(`(${FAINT_TEXTS})(${leastRatio})`);
}

/** Runs in the page, whose globals are none of ours. */
const FAINT_TEXTS = `least => {
  const channels = color => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = color => {
    const [red, green, blue] = channels(color).map(value => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = element => {
    if (element === null) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor)[3] === 0 ? behind(element.parentElement) : backgroundColor;
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (text === '' || !element.checkVisibility()) continue;
    const both = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (!(ratio >= least)) faint.push({ text, ratio });
  }
  return faint;
}`;
