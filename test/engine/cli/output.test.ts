import t from 'tap';
import { Output, toJson } from '#engine/cli/output.ts';
import { CollectingSink } from './collecting-sink.ts';

const forms = {
  key: 'items',
  json: (item: number) => ({ item }),
  text: (items: readonly number[], isFirst: boolean) =>
    `${isFirst ? 'first ' : ''}${items.length}\n`,
};

async function* numbers(count: number, failure?: Error): AsyncIterable<number> {
  for (let item = 0; item < count; item++) yield item;
  if (failure) throw failure;
}

t.test('a report is one JSON document, or text', async t => {
  const json = new CollectingSink();
  await new Output(json, 'json').report({ a: 1, b: undefined }, () => 'no');
  t.strictSame(JSON.parse(json.text), { a: 1 });
  const text = new CollectingSink();
  await new Output(text, 'text').report({ a: 1 }, () => 'yes\n');
  t.equal(text.text, 'yes\n');
});

t.test('a list of any length is one JSON document', async t => {
  for (const count of [0, 1, 499, 500, 501, 1200]) {
    const sink = new CollectingSink();
    t.equal(await new Output(sink, 'json').list(numbers(count), forms), count);
    const { items } = JSON.parse(sink.text) as { items: unknown[] };
    t.equal(items.length, count);
    if (count > 0) t.strictSame(items.at(-1), { item: count - 1 });
  }
});

t.test('text comes page by page and the first one knows that it is', async t => {
  const sink = new CollectingSink();
  await new Output(sink, 'text').list(numbers(1001), forms);
  t.equal(sink.text, 'first 500\n500\n1\n');
});

t.test('a failure in the middle of a list still gives one document', async t => {
  const sink = new CollectingSink();
  const output = new Output(sink, 'json');
  await t.rejects(output.list(numbers(600, new Error('torn')), forms), { message: 'torn' });
  await output.failure({ code: 'INTERNAL' });
  const document = JSON.parse(sink.text) as { items: unknown[]; error: unknown };
  t.equal(document.items.length, 500);
  t.strictSame(document.error, { code: 'INTERNAL' });
});

t.test('a failure after the document adds no second one', async t => {
  const sink = new CollectingSink();
  const output = new Output(sink, 'json');
  await output.report({ a: 1 }, () => '');
  await output.failure({ code: 'INTERNAL' });
  t.strictSame(JSON.parse(sink.text), { a: 1 });
});

t.test('a reader that goes away ends a list early and is no error', async t => {
  const sink = new CollectingSink(1);
  const output = new Output(sink, 'text');
  t.equal(await output.list(numbers(5000), forms), 1000);
  t.equal(output.isClosed, true);
  t.equal(sink.text, 'first 500\n');
});

t.test('standard output that has failed stays so, for the reason that it first had', async t => {
  const sink = new CollectingSink(1, 'ENOSPC');
  const output = new Output(sink, 'json');
  const failure = { code: 'OUTPUT_NOT_WRITABLE', details: { errno: 'ENOSPC' } };
  await t.rejects(output.list(numbers(600), forms), failure);
  sink.write = (_, done) => {
    done(new Error('destroyed'));
    return false;
  };
  await t.rejects(output.failure({ code: 'INTERNAL' }), failure);
  t.equal(output.isClosed, false);
});

t.test('large integers lose no digit', async t => {
  t.equal(toJson({ a: 12n, b: 2n ** 60n }), '{"a":12,"b":"1152921504606846976"}');
});
