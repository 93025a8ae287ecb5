// Whether caches stay below their limits, and whose node is in trouble first.

import type { DashboardTable } from './panel.ts';

const NODE = '{node=~"$node"}';

export const CACHES: DashboardTable = Object.freeze({
  name: 'caches',
  title: 'Caches',
  description:
    'Limits of the caches and what binds them, what is in them, and what that is good for',
  panels: [
    {
      kind: 'stat',
      title: 'In all caches',
      description: 'What the caches of these nodes take, and may take.',
      unit: 'bytes',
      width: 8,
      queries: [
        { expr: `sum(stevedore_cache_used_bytes${NODE})`, legend: 'used' },
        { expr: `sum(stevedore_cache_limit_bytes${NODE})`, legend: 'limit' },
      ],
    },
    {
      kind: 'stat',
      title: 'Cannot be used',
      description: 'Nodes whose cache is away; the alert StevedoreCacheUnavailable names them.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `count(stevedore_cache_available${NODE} == 0) or vector(0)`,
          legend: 'nodes without a cache',
        },
      ],
    },
    {
      kind: 'stat',
      title: 'Served by the cache',
      description: 'Of the bytes that moves have read within the hour, what came from a cache.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: `sum(increase(stevedore_cache_hit_bytes_total${NODE}[1h]))
  / (sum(increase(stevedore_cache_hit_bytes_total${NODE}[1h]))
    + sum(increase(stevedore_cache_miss_bytes_total${NODE}[1h])))`,
          legend: 'of all bytes',
        },
      ],
    },
    {
      kind: 'table',
      title: 'Nodes, those closest to trouble first',
      description:
        "By the free space above the kubelet's eviction line, which the cache keeps clear of.",
      unit: 'bytes',
      width: 24,
      queries: [
        {
          expr: `min by (node) (stevedore_cache_eviction_line_distance_bytes${NODE})`,
          legend: 'above the eviction line',
        },
        { expr: `min by (node) (stevedore_cache_disk_free_bytes${NODE})`, legend: 'free' },
        { expr: `sum by (node) (stevedore_cache_used_bytes${NODE})`, legend: 'used' },
        { expr: `sum by (node) (stevedore_cache_limit_bytes${NODE})`, legend: 'limit' },
        {
          expr: `sum by (node) (stevedore_cache_used_bytes${NODE})
  / sum by (node) (stevedore_cache_limit_bytes${NODE})`,
          legend: 'of the limit',
          unit: 'percentunit',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Limit, and what binds it',
      description: 'The least of what was asked for and of what the disk gives, by its reason.',
      unit: 'bytes',
      width: 12,
      queries: [
        {
          expr: `sum by (node, reason) (stevedore_cache_limit_bytes${NODE})`,
          legend: '{{node}}: {{reason}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Above the eviction line',
      description: 'Below it the kubelet evicts pods. Absent where a disk has no line.',
      unit: 'bytes',
      width: 12,
      queries: [
        {
          expr: `min by (node) (stevedore_cache_eviction_line_distance_bytes${NODE})`,
          legend: '{{node}}',
        },
      ],
    },
    {
      kind: 'stack',
      title: 'Used, by class',
      description: 'Data is for restores; metadata and index are what backups need.',
      unit: 'bytes',
      width: 12,
      queries: [
        { expr: `sum by (class) (stevedore_cache_used_bytes${NODE})`, legend: '{{class}}' },
      ],
    },
    {
      kind: 'lines',
      title: 'Of the limit, by node',
      description: 'A cache that works is nearly full. One that is full and refuses is an alert.',
      unit: 'percentunit',
      width: 12,
      queries: [
        {
          expr: `sum by (node) (stevedore_cache_used_bytes${NODE})
  / sum by (node) (stevedore_cache_limit_bytes${NODE})`,
          legend: '{{node}}',
        },
      ],
    },
    {
      kind: 'stack',
      title: 'Read from the cache and fetched',
      description: 'Hits, and what had to come from the storage.',
      unit: 'binBps',
      width: 12,
      queries: [
        {
          expr: `sum(rate(stevedore_cache_hit_bytes_total${NODE}[$__rate_interval]))`,
          legend: 'hits',
        },
        {
          expr: `sum(rate(stevedore_cache_miss_bytes_total${NODE}[$__rate_interval]))`,
          legend: 'fetched from the storage',
        },
      ],
    },
    {
      kind: 'stack',
      title: 'Evicted, by cause',
      description:
        'Room for something else; a limit that fell; repositories and blobs that are gone.',
      unit: 'binBps',
      width: 12,
      queries: [
        {
          expr: `sum by (cause)
  (rate(stevedore_cache_evicted_bytes_total${NODE}[$__rate_interval]))`,
          legend: '{{cause}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Refused',
      description:
        'Reservations for which something else had to go, and what was not kept in the end.',
      unit: 'ops',
      width: 12,
      queries: [
        {
          expr: `sum by (node)
  (rate(stevedore_cache_refused_reservations_total${NODE}[$__rate_interval]))`,
          legend: '{{node}}: reservations',
        },
        {
          expr: `sum by (node)
  (rate(stevedore_cache_refused_stores_total${NODE}[$__rate_interval]))`,
          legend: '{{node}}: not kept',
        },
      ],
    },
    {
      kind: 'stack',
      title: 'Orphans, reserved, pinned',
      description:
        'Of repositories that are gone; promised; still to be read by restores that run.',
      unit: 'bytes',
      width: 12,
      queries: [
        { expr: `sum(stevedore_cache_orphaned_bytes${NODE})`, legend: 'orphaned' },
        { expr: `sum(stevedore_cache_reserved_bytes${NODE})`, legend: 'reserved' },
        { expr: `sum(stevedore_cache_pinned_bytes${NODE})`, legend: 'pinned' },
      ],
    },
    {
      kind: 'lines',
      title: 'Errors of the disk, by code',
      description: 'Moves go on without what failed.',
      unit: 'ops',
      width: 24,
      queries: [
        {
          expr: `sum by (node, code) (rate(stevedore_cache_errors_total${NODE}[$__rate_interval]))`,
          legend: '{{node}}: {{code}}',
        },
      ],
    },
  ],
} satisfies DashboardTable);
