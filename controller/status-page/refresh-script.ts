// What the page does where scripts run: every few seconds it asks for itself and puts what has
// changed into its place, so that focus, scrolling and what somebody has typed stay. It rests while
// nobody sees it, while somebody has marked text, and when it is told to.

/** Asked for again so long after it came. */
const REFRESH_MS = 5_000;
const ANSWER_MS_MAX = 10_000;

export const REFRESH_SCRIPT = `'use strict';
(() => {
  const pause = document.getElementById('pause');
  const trouble = document.getElementById('trouble');
  const reload = document.getElementById('reload');
  let timer;
  let isPaused = false;
  let isAsking = false;

  const fragments = root =>
    new Map([...root.querySelectorAll('[data-fresh]')].map(each => [each.dataset.fresh, each]));

  // An alert is read aloud each time it is written.
  const alertOf = text => {
    if (trouble.textContent !== text) trouble.textContent = text;
  };

  const put = fresh => {
    const old = fragments(document);
    const now = fragments(fresh);
    // Another kind of page: this controller leads now, or does not any more.
    if ([...old.keys()].join() !== [...now.keys()].join()) return location.reload();
    for (const [key, part] of now) {
      const place = old.get(key);
      if (place.innerHTML === part.innerHTML) continue;
      place.replaceChildren(...[...part.childNodes].map(node => document.importNode(node, true)));
    }
  };

  const refresh = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      const signal = AbortSignal.timeout(${ANSWER_MS_MAX});
      const answer = await fetch(location.href, { signal, cache: 'no-store' });
      if (!answer.ok) throw new Error(answer.status);
      put(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      alertOf('');
    } catch {
      alertOf('No answer: what is shown is old. Is the tunnel still there?');
    } finally {
      isAsking = false;
      schedule();
    }
  };

  const isQuiet = () => isPaused || document.hidden || !getSelection().isCollapsed;

  const schedule = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (isQuiet() ? schedule() : refresh()), ${REFRESH_MS});
  };

  pause.hidden = false;
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.setAttribute('aria-pressed', String(isPaused));
    if (!isPaused) refresh();
  });
  reload.addEventListener('click', event => {
    event.preventDefault();
    refresh();
  });
  document.addEventListener('visibilitychange', () => {
    if (!isQuiet()) refresh();
  });
  schedule();
})();
`;
