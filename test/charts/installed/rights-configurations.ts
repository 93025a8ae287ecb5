// The settings of the chart under which each of its rights is tried, by taking it away. Between
// them they have to give every right that any settings give: rights-covered.test.ts says so.

import {
  type Account,
  type ChartObject,
  chartObjects,
  CONTROLLER_ENABLED,
  rolesOf,
} from './rights-of-chart.ts';
import { type Effect, STUCK_EFFECTS } from './rights-scene.ts';

export interface Configuration {
  readonly name: string;
  readonly account: Account;
  readonly values: readonly string[];
}

export interface ControllerConfiguration extends Configuration {
  readonly effects: readonly Effect[];
  /** Those with an annotator are alone: each takes away what another one has written. */
  readonly scenesAtOnce: number;
}

export const CONTROLLER_CONFIGURATIONS: readonly ControllerConfiguration[] = [
  {
    name: 'all that is off by default',
    account: 'stevedore-controller',
    values: [
      CONTROLLER_ENABLED,
      '--set=controller.annotator.enabled=true,controller.preCopy.enabled=true',
      '--set=controller.configuration.nothingStuck=false',
    ],
    effects: ['agent', 'overview', 'annotation', 'pre-copy'],
    scenesAtOnce: 1,
  },
  {
    name: 'as it is by default',
    account: 'stevedore-controller',
    values: [CONTROLLER_ENABLED],
    effects: ['agent', 'overview', ...STUCK_EFFECTS],
    // Each waits most of its time for the second look at what is stuck.
    scenesAtOnce: 12,
  },
];

const AGENT = { account: 'stevedore-node-agent' } as const;

export const AGENT_CONFIGURATIONS: readonly Configuration[] = [
  { ...AGENT, name: "in place of Velero's agent", values: [] },
  { ...AGENT, name: 'beside it', values: ['--set=nodeAgent.besideStock=true'] },
  {
    ...AGENT,
    name: 'with a controller that has volumes copied ahead',
    values: [CONTROLLER_ENABLED, '--set=controller.preCopy.enabled=true'],
  },
];

/** Of its account. */
export function rolesIn({ account, values }: Configuration): ChartObject[] {
  return rolesOf(chartObjects('velero', values), account);
}
