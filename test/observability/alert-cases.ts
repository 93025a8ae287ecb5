// What each alert is to fire of, and what is near to it and is fine, as series of promtool: values
// a minute, `0x5` for six times 0, `0+1x5` for 0 to 5, `_x5` for none.

export type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  readonly alert: string;
  /** It fires of that after an hour. */
  readonly fires: Series;
  /** And of that never, by name of what is different. */
  readonly silent: Readonly<Record<string, Series>>;
}

const GIB = 2 ** 30;
const NODE = 'node="worker-1",namespace="velero",pod="node-agent-x"';
const OTHER = 'node="worker-2",namespace="velero",pod="node-agent-y"';
const CONTROLLER = 'namespace="velero",pod="stevedore-controller-x"';

const cache = ({ used, limit, refused }: { used: number; limit: number; refused: string }) => ({
  [`stevedore_cache_used_bytes{${NODE},class="data"}`]: `${used - 1}x120`,
  [`stevedore_cache_used_bytes{${NODE},class="index"}`]: '1x120',
  [`stevedore_cache_limit_bytes{${NODE},reason="absolute"}`]: `${limit}x120`,
  [`stevedore_cache_refused_stores_total{${NODE}}`]: refused,
});
const disk = ({ free, distance, used }: { free: number; distance: number; used: number }) => ({
  [`stevedore_cache_disk_free_bytes{${NODE}}`]: `${free * GIB}x120`,
  [`stevedore_cache_eviction_line_distance_bytes{${NODE}}`]: `${distance * GIB}x120`,
  [`stevedore_cache_used_bytes{${NODE},class="data"}`]: `${used * GIB}x120`,
});
const ended = (kind: string, outcome: string, values: string) => ({
  [`stevedore_moves_total{${NODE},kind="${kind}",outcome="${outcome}"}`]: values,
});
const imperfect = (kind: string, values: string) => ({
  [`stevedore_moves_imperfect_total{${NODE},kind="${kind}"}`]: values,
});
const standing = (labels: string, name: string, values: string) => ({
  [`stevedore_controller_standing{${labels},standing="${name}"}`]: values,
});
const counted = (labels: string, values: string) => ({
  [`podVolume_pod_volume_backup_enqueue_count{${labels}}`]: values,
});
const throttled = (reason: string, values: string) => ({
  [`stevedore_retry_wait_seconds_total{${NODE},service="storage",reason="${reason}"}`]: values,
});

export const ALERT_CASES: readonly AlertCase[] = Object.freeze<AlertCase[]>([
  {
    alert: 'StevedoreCacheFull',
    fires: cache({ used: 95, limit: 100, refused: '0+1x120' }),
    silent: {
      'full, and nothing is refused': cache({ used: 100, limit: 100, refused: '7x120' }),
      'something is refused, and it is not full': cache({
        ...{ used: 50, limit: 100, refused: '0+1x120' },
      }),
      'it refuses for ten minutes': cache({ used: 95, limit: 100, refused: '0x45 1+1x2 3x80' }),
    },
  },
  {
    alert: 'StevedoreDiskNearEviction',
    fires: disk({ free: 16, distance: 1, used: 0.1 }),
    silent: {
      'the cache can make room': disk({ free: 150, distance: 1, used: 100 }),
      'it is far from the line': disk({ free: 100, distance: 85, used: 1 }),
      'there is no line': { [`stevedore_cache_disk_free_bytes{${NODE}}`]: '0x120' },
    },
  },
  {
    alert: 'StevedoreCacheUnavailable',
    fires: { [`stevedore_cache_available{${NODE}}`]: '0x120' },
    silent: {
      'it is there': { [`stevedore_cache_available{${NODE}}`]: '1x120' },
      'it was away for a moment': { [`stevedore_cache_available{${NODE}}`]: '1x52 0x4 1x60' },
    },
  },
  {
    alert: 'StevedoreCacheDiskErrors',
    fires: { [`stevedore_cache_errors_total{${NODE},code="EIO"}`]: '0x50 3x70' },
    silent: { 'there were some long ago': { [`stevedore_cache_errors_total{${NODE}}`]: '3x120' } },
  },
  {
    alert: 'StevedoreMoveStuck',
    fires: { [`stevedore_move_still_seconds{${NODE},kind="PodVolumeBackup"}`]: '0x5 0+60x115' },
    silent: {
      'it moves now and then': {
        [`stevedore_move_still_seconds{${NODE},kind="PodVolumeBackup"}`]:
          '0+60x20 0+60x20 0+60x20 0+60x20',
      },
      'nothing runs': { [`stevedore_move_still_seconds{${NODE},kind="DataUpload"}`]: '0x120' },
    },
  },
  {
    alert: 'StevedoreBackupsFailing',
    fires: ended('DataUpload', 'failed', '0x40 1x80'),
    silent: {
      'one was cancelled': ended('DataUpload', 'canceled', '0x40 1x80'),
      'a restore has failed': ended('PodVolumeRestore', 'failed', '0x40 1x80'),
      'the process was started again': ended('DataUpload', 'failed', '5x40 0x80'),
    },
  },
  {
    alert: 'StevedoreRestoresFailing',
    fires: ended('PodVolumeRestore', 'failed', '0x40 1x80'),
    silent: {
      'they complete': ended('PodVolumeRestore', 'completed', '0+1x120'),
      'a backup has failed': ended('PodVolumeBackup', 'failed', '0x40 1x80'),
    },
  },
  {
    alert: 'StevedoreRestoreDiffers',
    fires: imperfect('DataDownload', '0x40 1x80'),
    silent: {
      'a backup left something out': imperfect('PodVolumeBackup', '0x40 1x80'),
      'it was so long ago': imperfect('DataDownload', '1x120'),
    },
  },
  {
    alert: 'StevedoreRepositoryNotReady',
    fires: { [`stevedore_backup_repositories{${NODE},phase="NotReady"}`]: '0x30 2x90' },
    silent: {
      'they are new': { [`stevedore_backup_repositories{${NODE},phase="New"}`]: '2x120' },
      'it was so for ten minutes': {
        [`stevedore_backup_repositories{${NODE},phase="NotReady"}`]: '0x50 1x9 0x60',
      },
    },
  },
  {
    alert: 'StevedoreVolumeUnresponsive',
    fires: {
      [`stevedore_repositories_left_behind{${NODE}}`]: '0x120',
      [`stevedore_volume_looks_left_behind{${NODE}}`]: '0x30 1x90',
    },
    silent: {
      'all answer': {
        [`stevedore_repositories_left_behind{${NODE}}`]: '0x120',
        [`stevedore_volume_looks_left_behind{${NODE}}`]: '0x120',
      },
    },
  },
  {
    alert: 'StevedoreStorageThrottled',
    fires: throttled('throttled', '0+45x120'),
    silent: {
      'a little': throttled('throttled', '0+10x120'),
      'it waits for something else': throttled('unavailable', '0+45x120'),
    },
  },
  {
    alert: 'StevedoreAgentSilent',
    fires: {
      ...counted(NODE, '1x30 _x90'),
      ...counted(OTHER, '1x120'),
      // Nothing is known of any node any more.
      'kube_node_info{node="worker-1"}': '1x30 _x90',
      'kube_node_info{node="worker-2"}': '1x30 _x90',
    },
    silent: {
      'all are scraped': { ...counted(NODE, '1x120'), ...counted(OTHER, '1x120') },
      'another pod took its place': {
        ...counted(NODE, '1x30 _x90'),
        ...counted(NODE.replace('agent-x', 'agent-z'), '_x32 0x87'),
      },
      'its node was taken away': {
        ...counted(NODE, '1x30 _x90'),
        ...counted(OTHER, '1x120'),
        'kube_node_info{node="worker-1"}': '1x30 _x90',
        'kube_node_info{node="worker-2"}': '1x120',
      },
    },
  },
  {
    alert: 'StevedoreAgentAlone',
    fires: { ...standing(NODE, 'alone', '0x30 1x90'), ...standing(NODE, 'with', '1x30 0x90') },
    silent: {
      'the controller gives slots': standing(NODE, 'with', '1x120'),
      'there is no controller': {
        ...standing(NODE, 'alone', '0x120'),
        ...standing(NODE, 'away', '0x120'),
        ...standing(NODE, 'none', '1x120'),
      },
    },
  },
  {
    alert: 'StevedoreControllerLeaderless',
    fires: { [`stevedore_controller_leads{${CONTROLLER}}`]: '1x30 0x90' },
    silent: {
      'one leads and one stands by': {
        [`stevedore_controller_leads{${CONTROLLER}}`]: '1x120',
        [`stevedore_controller_leads{${CONTROLLER.replace('-x', '-y')}}`]: '0x120',
      },
      'nobody wants one': {
        ...standing(NODE, 'none', '1x120'),
        ...standing(NODE, 'alone', '0x120'),
      },
      'one node does not reach it': {
        ...standing(NODE, 'alone', '1x120'),
        [`stevedore_controller_leads{${CONTROLLER}}`]: '1x120',
      },
    },
  },
  {
    alert: 'StevedoreControllerLeaderless',
    fires: standing(NODE, 'alone', '0x30 1x90'),
    silent: {},
  },
  {
    alert: 'StevedoreSettingsInvalid',
    fires: { [`stevedore_controller_settings_valid{${CONTROLLER}}`]: '1x30 0x90' },
    silent: {
      'they are': { [`stevedore_controller_settings_valid{${CONTROLLER}}`]: '1x120' },
      'there is no controller': {},
    },
  },
]);
