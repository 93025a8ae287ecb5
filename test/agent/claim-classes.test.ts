// Of which storage class a move's volume is, with an API server that answers when the test wants.

import t from 'tap';
import { ClaimClasses, type ClaimClassesParts } from '#agent/claim-classes.ts';
import { EngineError } from '#engine/base/errors.ts';
import type { KubeObject } from '#kube/kube-object.ts';
import { ManualClock } from '#test/kube/manual-clock.ts';

interface Question {
  readonly name: string;
  readonly answer: (spec: object) => void;
  readonly fail: (error: Error) => void;
}

function scene() {
  const clock = new ManualClock();
  const questions: Question[] = [];
  const warnings: unknown[] = [];
  const end = new AbortController();
  const get = (_resource: object, { name }: { readonly name: string }) =>
    new Promise<KubeObject>((resolve, reject) => {
      const answer = (spec: object) => resolve({ metadata: { name }, spec } as KubeObject);
      questions.push({ name, answer, fail: reject });
    });
  const classes = new ClaimClasses({
    // A client answers with what its caller takes the objects for.
    client: { get } as ClaimClassesParts['client'],
    clock,
    log: { warn: values => void warnings.push(values) },
    signal: end.signal,
  });
  const ask = (id: string) => classes.of({ id, namespace: 'shop', claim: `claim-${id}` });
  return { clock, questions, warnings, end, ask };
}

const settled = () => new Promise(setImmediate);

t.test('a move is asked about once, and again where there was no answer', async t => {
  const { ask, questions, warnings } = scene();
  const asked = [ask('a'), ask('b'), ask('c'), ask('a')];
  await settled();
  const [first, second, third] = questions;
  first?.answer({ storageClassName: 'nfs' });
  second?.answer({});
  third?.fail(new EngineError('KUBE_FORBIDDEN', 'claims may not be read'));
  t.strictSame(await Promise.all(asked), ['nfs', '', '', 'nfs']);
  const again = ['a', 'b', 'c'].map(ask);
  await settled();
  questions[3]?.answer({ storageClassName: 'late' });
  t.strictSame(await Promise.all(again), ['nfs', '', 'late']);
  t.strictSame(
    questions.map(({ name }) => name),
    ['claim-a', 'claim-b', 'claim-c', 'claim-c'],
  );
  t.match(warnings, [{ claim: 'shop/claim-c', error: { code: 'KUBE_FORBIDDEN' } }]);
});

t.test('no more than four are asked about at once, and none for longer than 10 s', async t => {
  const { ask, questions, warnings, clock } = scene();
  const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map(ask);
  await settled();
  t.equal(questions.length, 4);
  questions[0]?.answer({ storageClassName: 'nfs' });
  await settled();
  t.equal(questions.at(-1)?.name, 'claim-e');
  await clock.pass(10_000);
  t.strictSame(await Promise.all(asked), ['nfs', '', '', '', '', '']);
  t.equal(warnings.length, 5);
  t.match(warnings[0], { error: { code: 'KUBE_TIMEOUT' } });
});

t.test('an agent that ends waits for none of them and warns of nothing', async t => {
  const { ask, warnings, end } = scene();
  const asked = ask('a');
  end.abort();
  t.equal(await asked, '');
  t.strictSame(warnings, []);
});
