// What sends traces is in no process that sends none. Modules that were loaded once stay, so this
// has a process of its own, and asks in this order.

import { registerHooks } from 'node:module';
import t from 'tap';

const loaded = new Set<string>();
const hooks = registerHooks({
  load: (url, context, next) => {
    const [, name] = /\/@opentelemetry\/([^/]+)\//.exec(url) ?? [];
    if (name !== undefined) loaded.add(name);
    return next(url, context);
  },
});
t.teardown(() => hooks.deregister());

t.test('an agent that traces nothing loads nothing of it, and one that does loads it', async t => {
  const { startAgent } = await import('#test/support/agent-scene.ts');
  await t.test('without a collector', async t => {
    const { says } = await startAgent(t);
    await says('ready');
  });
  const names = (part: RegExp) => [...loaded].filter(name => part.test(name));
  // The api without what is behind it comes with prom-client.
  t.strictSame(names(/^(?!api$)/), []);
  await t.test('with one', async t => {
    const { says } = await startAgent(t, { flags: ['--otlp-endpoint', 'http://127.0.0.1:1'] });
    await says('moves are traced');
    await says('ready');
  });
  t.strictSame(names(/^(sdk-trace|exporter-trace-otlp-http)$/).sort(), [
    'exporter-trace-otlp-http',
    'sdk-trace',
  ]);
});
