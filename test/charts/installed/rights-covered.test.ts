// No right without a proof: whatever the chart gives to whom, under whichever settings, is among
// what controller-rights.test.ts and agent-rights.test.ts take away in turn.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseYaml } from '#engine/base/yaml.ts';
import { CHART, helmIsMissing } from '#test/charts/helm.ts';
import { VALUE_FILES, valuesOf } from '#test/charts/value-files.ts';
import {
  AGENT_CONFIGURATIONS,
  CONTROLLER_CONFIGURATIONS,
  rolesIn,
} from './rights-configurations.ts';
import {
  type Account,
  type ChartObject,
  chartObjects,
  rightText,
  rightsOf,
  rolesOf,
  type Rule,
} from './rights-of-chart.ts';

const skip = helmIsMissing();
const ACCOUNTS: readonly Account[] = ['stevedore-node-agent', 'stevedore-controller'];
/** Of OpenShift, where somebody names one of its SecurityContextConstraints. */
const OF_OTHERS = ['system:openshift:scc:privileged'];

const isRole = ({ kind }: ChartObject) => kind === 'Role' || kind === 'ClusterRole';
const isBinding = ({ kind }: ChartObject) => /^(Cluster)?RoleBinding$/.test(kind);
const rendered = skip
  ? []
  : VALUE_FILES.map(
      name => [name, chartObjects('velero', [`--values=${valuesOf(name)}`])] as const,
    );

function textsOf(account: Account, roles: readonly ChartObject[]): string[] {
  return rightsOf(roles).map(right => `${account}: ${rightText(right, 'velero')}`);
}

t.test('each right of each value file is taken away once', { skip }, async t => {
  const tried = new Set(
    [...AGENT_CONFIGURATIONS, ...CONTROLLER_CONFIGURATIONS].flatMap(configuration =>
      textsOf(configuration.account, rolesIn(configuration)),
    ),
  );
  t.ok(tried.size > 80);
  for (const [name, objects] of rendered) {
    for (const account of ACCOUNTS) {
      const given = textsOf(account, rolesOf(objects, account));
      t.strictSame(
        given.filter(text => !tried.has(text)),
        [],
        `${name}: ${account}`,
      );
    }
  }
});

t.test('roles are bound to the accounts of the chart alone', { skip }, async t => {
  for (const [name, objects] of rendered) {
    const bound = ACCOUNTS.flatMap(account => rolesOf(objects, account));
    t.ok(
      objects.filter(isRole).every(role => bound.includes(role)),
      `${name}: each role`,
    );
    for (const { metadata, roleRef, subjects = [] } of objects.filter(isBinding)) {
      for (const { kind, name: account } of subjects) {
        t.equal(kind, 'ServiceAccount', metadata.name);
        t.ok(
          ACCOUNTS.some(each => each === account),
          `${name}: ${metadata.name}`,
        );
      }
      const isOwn = objects.some(
        object => object.kind === roleRef?.kind && object.metadata.name === roleRef.name,
      );
      t.ok(isOwn || OF_OTHERS.includes(roleRef?.name ?? ''), `${name}: ${roleRef?.name}`);
    }
  }
});

/** As the templates have them, whatever their conditions. */
function rulesOfTemplates(): Rule[] {
  const folder = join(CHART, 'templates');
  const text = readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8'));
  const RULE = /^ +- apiGroups: .*\n +resources: .*\n +verbs: .*\n/gm;
  const found = text.join('\n').match(RULE) ?? [];
  // Three lines of the form that the expression has.
  return found.flatMap(rule => parseYaml(rule, 'a rule') as Rule[]);
}

t.test(
  'each rule of the templates is in one of the value files, with a reason',
  { skip },
  async t => {
    const roles = rendered.flatMap(([, objects]) => objects.filter(isRole));
    const seen = new Set(
      roles.flatMap(({ rules = [] }) => rules.map(rule => JSON.stringify(rule))),
    );
    const all = rulesOfTemplates();
    t.ok(all.length > 40);
    for (const rule of all) t.ok(seen.has(JSON.stringify(rule)), JSON.stringify(rule));
    for (const name of ['rbac.yaml', 'controller-rbac.yaml']) {
      const text = readFileSync(join(CHART, 'templates', name), 'utf8');
      const lines = text.split('\n').filter(line => !/^ *\{\{-/.test(line));
      for (const [index, line] of lines.entries()) {
        if (/^ +- apiGroups:/.test(line)) t.match(lines[index - 1], /^ +# \S/, line);
      }
    }
  },
);
