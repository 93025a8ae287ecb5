// Every operation that creating a repository asks of its storage fails once, before and after it
// took effect.

import t from 'tap';
import { failCreation } from '#test/faults/failing-creation.ts';

for (const when of ['before', 'after'] as const) {
  t.test(`a creation that fails ${when} an operation took effect can be done again`, async t => {
    let at = 0;
    while (await failCreation(t, { at: ++at, when }));
    t.ok(at > 8, `${at - 1} operations failed`);
  });
}
