// The page: one document that says how things stand, made anew for each request. It needs no
// script; with one, what has changed is put in its place every few seconds (refresh-script.ts).

import { counted, formatCount, formatDuration } from '#engine/cli/quantity.ts';
import type { ClusterOverview } from '#proto/overview-messages.ts';
import { failuresSection } from './failures-section.ts';
import { html, type Html, name } from './html.ts';
import { runningSection, waitingSection } from './moves-section.ts';
import { nodesSection, troubleText } from './nodes-section.ts';
import { type PageQuery, ROW_CHOICES } from './page-query.ts';
import { ratesSection, rateTexts } from './rates-section.ts';
import type { StandbyView, StatusView } from './status-view.ts';

export const PLACES = Object.freeze({
  style: '/style.css',
  script: '/refresh.js',
  icon: '/icon.svg',
});

/** Names of half a kilobyte, which nobody has, leave room for fewer rows. */
const PAGE_BYTES_MAX = 280_000;

export function statusPage(view: StatusView, query: PageQuery): string {
  for (let { rows } = query; ; rows >>= 1) {
    const page = pageOf(view, query, rows);
    if (Buffer.byteLength(page) <= PAGE_BYTES_MAX || rows === 0) return page;
  }
}

function pageOf(view: StatusView, asked: PageQuery, rows: number): string {
  const { overview } = view;
  const query = { ...asked, rows };
  return documentOf(
    html`<a class="skip" href="#content">Skip to the content</a>
      <header>
        <h1>Stevedore</h1>
        <p data-fresh="leader">${leaderText(overview)}</p>
        ${refreshControls(view.nowMs)}
      </header>
      <main id="content" tabindex="-1">
        ${summary(view)} ${navigation} ${filterForm(asked)} ${nodesSection(overview.nodes, query)}
        ${runningSection(overview, query)} ${waitingSection(overview, query)} ${ratesSection(view)}
        ${failuresSection(view, query)}
      </main>`,
  );
}

/** RFC 1123: what it lets through is one word in a shell. */
function isPodName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text);
}

const SOON = html`<p>Within seconds one will; this page shows it then.</p>`;

/**
 * Somebody else leads, who knows all of it. Its name is what stands in the Lease: whoever can write
 * that chooses no command for people to copy.
 */
export function standbyPage({ leader, namespace, port }: StandbyView): string {
  const who = leader === '' ? 'Nobody leads at the moment.' : `${name(leader)} leads.`;
  const command = `kubectl -n ${namespace} port-forward pod/${leader} ${port}`;
  const how = html`<p>Ask that one: end this tunnel, and open another with</p>
    <pre><code>${command}</code></pre>`;
  return documentOf(
    html`<header>
        <h1>Stevedore</h1>
        ${refreshControls(undefined)}
      </header>
      <main id="content" tabindex="-1" data-fresh="standby">
        <p class="standby"><strong>This controller stands by. ${who}</strong></p>
        ${leader === '' ? SOON : isPodName(leader) ? how : ''}
      </main>`,
  );
}

function documentOf(body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>Stevedore status</title>
        <link rel="icon" href="${PLACES.icon}" />
        <link rel="stylesheet" href="${PLACES.style}" />
        <script src="${PLACES.script}" defer></script>
      </head>
      <body>
        ${body}
      </body>
    </html> `.markup.replace(/\n\s+/g, '\n');
}

function leaderText({ leader, version, epoch, isStarting }: ClusterOverview): string {
  const starting = isStarting ? '; it has just started and grants nothing yet' : '';
  return `${name(leader)} leads, version ${name(version)}, epoch ${epoch}${starting}`;
}

/** The link serves who has no script, and who wants it now. */
function refreshControls(nowMs: number | undefined): Html {
  const text = new Date(nowMs ?? 0).toISOString();
  const at = html`<span data-fresh="time"
    >As of <time datetime="${text}">${text.slice(11, 19)} UTC</time></span
  >`;
  return html`<p class="refresh">
    ${nowMs === undefined ? '' : at} <a href="" id="reload">Reload</a>
    <button type="button" id="pause" aria-pressed="false" hidden>Pause updates</button>
    <span id="trouble" role="alert"></span>
  </p>`;
}

/** In one sentence, which is read aloud when it changes; and as figures. */
function summary({ overview, failures }: StatusView): Html {
  const { runningCount, slotsMax, waitingCount, upload, download, nodes } = overview;
  const waits = `${counted(waitingCount, 'volume')} ${waitingCount === 1 ? 'waits' : 'wait'}`;
  const sentence = [
    troubleText(nodes),
    `${counted(runningCount, 'move')} ${runningCount === 1 ? 'runs' : 'run'}`,
    waits,
    failures.length === 0 ? 'no failures' : counted(failures.length, 'failure'),
  ].join('; ');
  return html`<p class="sentence" id="sentence" role="status" data-fresh="sentence">${sentence}.</p>
    <dl class="figures" data-fresh="figures">
      ${figure('Moves', formatCount(runningCount), `of at most ${formatCount(slotsMax)}`)}
      ${figure('Waiting', formatCount(waitingCount), longest(overview))}
      ${figure('Uploads', ...rateTexts(upload))} ${figure('Downloads', ...rateTexts(download))}
    </dl>`;
}

function longest({ waiting }: ClusterOverview): string {
  if (waiting.length === 0) return 'nothing';
  const mostMs = waiting.reduce((most, { waitedMs }) => Math.max(most, waitedMs), 0);
  return `for up to ${formatDuration(mostMs)}`;
}

function figure(title: string, text: string, words: string): Html {
  return html`<div>
    <dt>${title}</dt>
    <dd>${text} <span class="words">${words}</span></dd>
  </div>`;
}

const SECTIONS = Object.freeze({
  nodes: 'Nodes',
  moves: 'Running moves',
  queue: 'Queue',
  bandwidth: 'Bandwidth',
  failures: 'Last failures',
});

const navigation = html`<nav aria-label="Sections">
  <ul>
    ${Object.entries(SECTIONS).map(
      ([id, title]) => html`<li><a href="#${id}-title">${title}</a></li>`,
    )}
  </ul>
</nav>`;

function filterForm({ typed, rows }: PageQuery): Html {
  const options = ROW_CHOICES.map(count =>
    count === rows ? html`<option selected>${count}</option>` : html`<option>${count}</option>`,
  );
  const all = typed === '' ? '' : html`<a href="/">Show all</a>`;
  return html`<form method="get" action="/" role="search">
    <label
      >Filter
      <input
        type="search"
        name="filter"
        value="${typed}"
        maxlength="100"
        placeholder="node, namespace, pod, volume"
        autocomplete="off"
        spellcheck="false"
    /></label>
    <label
      >Rows of each list
      <select name="rows">
        ${options}
      </select></label
    >
    <button type="submit">Show</button> ${all}
  </form>`;
}
