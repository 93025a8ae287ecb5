// What moves where and how fast, what waits and for what, what has failed and why.

import type { DashboardTable } from './panel.ts';

const NODE = '{node=~"$node"}';
const having = (labels: string) => `{node=~"$node", ${labels}}`;
const BACKUPS = having('kind=~"PodVolumeBackup|DataUpload"');
const RESTORES = having('kind=~"PodVolumeRestore|DataDownload"');
const COMPLETED = having('kind=~"PodVolumeBackup|DataUpload", outcome="completed"');
const SENT = `stevedore_storage_bytes_total${having('operation="put"')}`;
const FETCHED = `stevedore_storage_bytes_total${having('operation="get"')}`;
const LAST_SUCCESS = `stevedore_backup_last_success_timestamp_seconds${NODE}`;
const STAGES = 'stevedore_move_stage_seconds_bucket';
const FAILURES = `stevedore_move_failures_total${NODE}`;

const quantile = (share: number, stage: string) => ({
  expr: `histogram_quantile(${share},
  sum by (le) (increase(${STAGES}${having(`stage="${stage}"`)}[1h])))`,
  legend: `${stage}: ${share * 100} %`,
});

export const MOVES: DashboardTable = Object.freeze({
  name: 'moves',
  title: 'Moves',
  description: 'Backups and restores of volumes: what runs, what waits, how fast, and what fails',
  panels: [
    {
      kind: 'stat',
      title: 'Now',
      description: 'Moves that run, that wait for a slot on their nodes, and slots of the nodes.',
      unit: 'short',
      width: 12,
      queries: [
        { expr: `sum(stevedore_moves_running${NODE})`, legend: 'running' },
        { expr: `sum(stevedore_slots${having('state="waiting"')})`, legend: 'waiting' },
        { expr: `sum(stevedore_slots${having('state="total"')})`, legend: 'slots' },
      ],
    },
    {
      kind: 'stat',
      title: 'Since the last backup',
      description: 'How long ago a backup to that location has completed on any of these nodes.',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: `time() - max by (location) (${LAST_SUCCESS})`,
          legend: '{{location}}',
        },
      ],
    },
    {
      kind: 'stack',
      title: 'Running, by kind',
      description: 'Moves that the engine works on.',
      unit: 'short',
      width: 12,
      queries: [{ expr: `sum by (kind) (stevedore_moves_running${NODE})`, legend: '{{kind}}' }],
    },
    {
      kind: 'stack',
      title: 'Waiting for a slot of the controller, and why',
      description: 'full: a limit is reached. kept: room is kept for whoever goes first.',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: 'sum by (cause, limit) (stevedore_controller_queue_causes)',
          legend: '{{cause}} {{limit}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Longest wait, by priority',
      description: 'Of those that wait now.',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: 'max by (priority) (stevedore_controller_queue_longest_wait_seconds)',
          legend: 'priority {{priority}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Moves no byte',
      description: 'For how long the move that stands still longest has done so.',
      unit: 's',
      width: 12,
      queries: [
        {
          expr: `max by (node, kind) (stevedore_move_still_seconds${NODE})`,
          legend: '{{node}}: {{kind}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Throughput, by stage',
      description: 'Of volumes gone through; to and from the storage; from the caches.',
      unit: 'binBps',
      width: 12,
      queries: [
        {
          expr: `sum(rate(stevedore_move_bytes_total${BACKUPS}[$__rate_interval]))`,
          legend: 'read of volumes',
        },
        {
          expr: `sum(rate(${SENT}[$__rate_interval]))`,
          legend: 'sent to the storage',
        },
        {
          expr: `sum(rate(${FETCHED}[$__rate_interval]))`,
          legend: 'fetched from the storage',
        },
        {
          expr: `sum(rate(stevedore_cache_hit_bytes_total${NODE}[$__rate_interval]))`,
          legend: 'read from caches',
        },
        {
          expr: `sum(rate(stevedore_move_bytes_total${RESTORES}[$__rate_interval]))`,
          legend: 'written to volumes',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Throughput, by node',
      description: 'Bytes of files that were gone through, backups and restores.',
      unit: 'binBps',
      width: 12,
      queries: [
        {
          expr: `sum by (node) (rate(stevedore_move_bytes_total${NODE}[$__rate_interval]))`,
          legend: '{{node}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Bandwidth of the cluster',
      description: 'What nodes may use of the limit (given), and what they say they use.',
      unit: 'binBps',
      width: 12,
      queries: [
        {
          expr: 'max by (direction, state) (stevedore_controller_bandwidth_bytes_per_second)',
          legend: '{{direction}}: {{state}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Deduplication and compression',
      description:
        'Of backups within the hour: what was in the snapshot before already, and how large in' +
        ' the storage the rest has become.',
      unit: 'percentunit',
      width: 12,
      queries: [
        {
          expr: `1 - sum(increase(stevedore_backup_new_bytes_total${NODE}[1h]))
  / sum(increase(stevedore_move_ended_bytes_total${COMPLETED}[1h]))`,
          legend: 'was there already',
        },
        {
          expr: `sum(increase(${SENT}[1h]))
  / sum(increase(stevedore_backup_new_bytes_total${NODE}[1h]))`,
          legend: 'stored, of what is new',
        },
      ],
    },
    {
      kind: 'stack',
      title: 'Ended within the hour, by outcome',
      description: 'Moves of all kinds.',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: `sum by (kind, outcome) (increase(stevedore_moves_total${NODE}[1h]))`,
          legend: '{{kind}} {{outcome}}',
        },
      ],
    },
    {
      kind: 'stack',
      title: 'Failures within the hour, by code',
      description: 'docs/errors.md has a paragraph for each code: what it means and what to do.',
      unit: 'short',
      width: 12,
      queries: [
        {
          // A code has no series before its first failure, of which increase() would know nothing.
          expr: `sum by (kind, code)
  ((${FAILURES} - ${FAILURES} offset 1h) >= 0 or ${FAILURES})`,
          legend: '{{kind}}: {{code}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'How long moves wait and move',
      description: 'Percentiles of the hour; opening the repository is a part of moving.',
      unit: 's',
      width: 12,
      queries: ['waiting', 'opening', 'moving'].flatMap(stage =>
        [0.5, 0.95, 0.99].map(share => quantile(share, stage)),
      ),
    },
    {
      kind: 'lines',
      title: 'Completed with differences',
      description:
        'Restores that brought something back differently or not at all, and backups that left' +
        ' something out, within the hour; status.message of the object names what.',
      unit: 'short',
      width: 12,
      queries: [
        {
          expr: `sum by (node, kind) (increase(stevedore_moves_imperfect_total${RESTORES}[1h]))`,
          legend: '{{node}}: {{kind}}',
        },
        {
          expr: `sum by (node, kind) (increase(stevedore_moves_imperfect_total${BACKUPS}[1h]))`,
          legend: '{{node}}: {{kind}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Operations of the storage, by outcome',
      description: 'Each attempt.',
      unit: 'ops',
      width: 12,
      queries: [
        {
          expr: `sum by (operation, outcome)
  (rate(stevedore_storage_operations_total${NODE}[$__rate_interval]))`,
          legend: '{{operation}} {{outcome}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Agents and repositories',
      description: 'As the leading controller knows agents, and as agents know repositories.',
      unit: 'short',
      width: 12,
      queries: [
        { expr: 'sum by (state) (stevedore_controller_agents)', legend: 'agents: {{state}}' },
        {
          expr: `max by (phase) (stevedore_backup_repositories${NODE})`,
          legend: 'repositories: {{phase}}',
        },
      ],
    },
  ],
} satisfies DashboardTable);
