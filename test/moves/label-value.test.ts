// Label values of long names, as a Velero server shortens them.

import t from 'tap';
import { labelValue } from '#agent/moves/objects/label-value.ts';

t.test('up to 63 characters are a label as they are', async t => {
  t.equal(labelValue('daily'), 'daily');
  t.equal(labelValue('a'.repeat(63)), 'a'.repeat(63));
});

// The value is one of a server's own (Velero pkg/label/label_test.go TestGetValidName).
t.test('longer names end in six digits of their hash', async t => {
  const name = 'this_is_a_very_long_label_value_that_will_be_rejected_by_Kubernetes';
  t.equal(labelValue(name), 'this_is_a_very_long_label_value_that_will_be_rejected_by_8d0722');
});
