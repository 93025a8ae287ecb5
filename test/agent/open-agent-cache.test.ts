import t from 'tap';
import { createLog } from '#agent/log.ts';
import { SecretTexts } from '#agent/log-secrets.ts';
import { cacheTeller } from '#agent/open-agent-cache.ts';

t.test('small steps of the limit are for the level debug', async t => {
  const levels: unknown[] = [];
  const write = (line: string) => levels.push((JSON.parse(line) as { level: unknown }).level);
  const log = createLog({ level: 'debug', format: 'json', write, secrets: new SecretTexts() });
  const tell = cacheTeller(log);
  for (const bytes of [1000, 950, 910, 899, 950, 0, 0, 50]) {
    tell({ kind: 'limit', bytes, reason: 'nodefs.available' });
  }
  tell({ kind: 'limit', bytes: 50, reason: 'absolute' });
  const news = levels.map(level => (level === 'info' ? '!' : '.')).join('');
  t.equal(news, '!..!.!.!!');
});
