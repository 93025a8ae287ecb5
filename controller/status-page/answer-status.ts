// What is answered at the address of the status page. Nobody is asked who they are: the address is
// one that only this machine, or this pod, can reach, and the API server has looked at whoever has
// a tunnel to it. What is left are pages of others in the reader's browser: they may neither read
// it by another name for this address, nor show it within their own.

import type { Answer, Asked } from '#agent/bounded-server.ts';
import { isLoopback } from '#proto/loopback.ts';
import { parseQuery } from './page-query.ts';
import { REFRESH_SCRIPT } from './refresh-script.ts';
import { PLACES, standbyPage, statusPage } from './status-page.ts';
import type { StandbyView, StatusView } from './status-view.ts';
import { ICON, STYLE } from './style.ts';

/** Undefined while another controller leads. */
export interface StatusParts {
  readonly view: () => StatusView | undefined;
  readonly standby: () => StandbyView;
}

const POLICY = [
  "default-src 'none'",
  ...["style-src 'self'", "script-src 'self'", "connect-src 'self'", "img-src 'self'"],
  ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].join('; ');

const HEADERS = Object.freeze({
  'content-security-policy': POLICY,
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
});

export async function answerStatus(
  { path, query, headers }: Asked,
  { view, standby }: StatusParts,
): Promise<Answer> {
  if (!isOwnName(headers.host)) {
    const body = 'this page is at 127.0.0.1 and localhost alone; see docs/controller.md\n';
    return { status: 421, body, headers: HEADERS };
  }
  switch (path) {
    case '/': {
      const now = view();
      return page(now ? statusPage(now, parseQuery(query)) : standbyPage(standby()));
    }
    case PLACES.style:
      return { ...page(STYLE), type: 'text/css; charset=utf-8' };
    case PLACES.script:
      return { ...page(REFRESH_SCRIPT), type: 'text/javascript; charset=utf-8' };
    case PLACES.icon:
      return { ...page(ICON), type: 'image/svg+xml' };
    default:
      return { status: 404, body: 'there is / alone\n', headers: HEADERS };
  }
}

function page(body: string): Answer {
  return { status: 200, body, type: 'text/html; charset=utf-8', headers: HEADERS };
}

/** A name of somebody's that leads here would make his page one with ours (DNS rebinding). */
function isOwnName(host = ''): boolean {
  const [, bracketed, plain = ''] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(host) ?? [];
  const name = bracketed ?? plain;
  return name.toLowerCase() === 'localhost' || isLoopback(name);
}
