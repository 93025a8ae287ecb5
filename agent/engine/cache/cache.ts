// The cache of one node: looks after its directory, follows the disk with the limit, and lends
// itself to the repositories that are open. Whatever happens to the directory, reads go on without
// it, and it comes back by itself.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock, type Clock } from '#engine/base/clock.ts';
import { EngineError, messageOf, systemCodeOf } from '#engine/base/errors.ts';
import { settlesWithin } from '#engine/base/settles-within.ts';
import { adaptiveLru } from './adaptive-lru.ts';
import { CLOSE_WAIT_MS } from './blob-reader.ts';
import { CacheDirectory, cacheDirectoryOf, OBSTACLES } from './cache-directory.ts';
import type { CacheOptions } from './cache-options.ts';
import { CacheStatistics } from './cache-statistics.ts';
import { CacheVolume, type VolumeParts } from './cache-volume.ts';
import {
  type CacheEvent,
  type CacheSettings,
  isWatched,
  limitSettings,
  UNVISITED_DAYS_MAX,
} from './cache-settings.ts';
import { createChecksum } from './checksum.ts';
import { isFatal, isFull } from './disk-errors.ts';
import { type DiskSpace, readDisk, readDiskCarefully } from './disk-space.ts';
import { DiskWatch } from './disk-watch.ts';
import { FallRate } from './fall-rate.ts';
import { type CacheMoment, Housekeeping } from './housekeeping.ts';
import { type FoundLines, KubeletLines } from './kubelet-configuration.ts';
import { Ledger } from './ledger.ts';
import { type CacheLimit, cacheLimit, type DiskState, headroomBytes } from './limit.ts';
import { settleLimit, type SettledLimit } from './limit-growth.ts';
import { type CacheLocation, locationOf, readMounts } from './location.ts';
import { LOOK_INTERVAL_MS_MAX, lookIntervalMs } from './look-interval.ts';
import type { Shrink } from './notes-format.ts';
import { pinnedBytes } from './pinned.ts';
import { PlannedUses } from './planned-uses.ts';
import { readBoot } from './repository-age.ts';
import { BASE_CHARGE, segmentCharge } from './segment-pool.ts';
import { SEGMENT_BYTES_MIN } from './segment-format.ts';
import { tendSiblings } from './sibling-caches.ts';
import { type SharedReads, SharedReadsByIdentity } from './shared-reads.ts';

/** A directory that was lost is tried again after this long. */
const RETRY_MS = 5000;
const ROOM_BYTES_MIN = BASE_CHARGE.bytes + segmentCharge(SEGMENT_BYTES_MIN).bytes;
const NO_ROOM = 'there is no room for a cache on this disk';
const REPLACED = 'the directory was replaced or removed';
/** Errors that are not fatal, such as EIO, within the time of one directory. */
const ERRORS_MAX = 3;

export class Cache implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly plans = new PlannedUses();
  readonly statistics = new CacheStatistics();
  #settings: CacheSettings;
  readonly #options: CacheOptions;
  readonly #clock: Clock;
  readonly #fall = new FallRate();
  readonly #shared = new SharedReadsByIdentity();
  readonly #volumeParts: VolumeParts;
  readonly #housekeeping: Housekeeping;
  readonly #kubelet: KubeletLines;
  #lines: FoundLines | undefined;
  #directory: CacheDirectory | undefined;
  #volume: CacheVolume | undefined;
  #location: CacheLocation | undefined;
  #settled: SettledLimit | undefined;
  #disk: DiskState | undefined;
  #obstacle: string | undefined = 'not opened yet';
  #retryAtMs = 0;
  #lookIntervalMs = LOOK_INTERVAL_MS_MAX;
  #errors = 0;
  #looking: Promise<void> | undefined;
  readonly #watch: DiskWatch;
  #isClosed = false;

  private constructor(settings: CacheSettings, options: CacheOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#kubelet = new KubeletLines(this.#clock);
    this.#watch = new DiskWatch({
      clock: this.#clock,
      look: () => this.look(),
      intervalMs: () => this.#lookIntervalMs,
    });
    this.#housekeeping = new Housekeeping({
      clock: this.#clock,
      readBoot: options.readBoot ?? readBoot,
      statistics: this.statistics,
      tell: event => this.#tell(event),
      onError: error => this.statistics.noteError(systemCodeOf(error)),
    });
    const { isNativeAllowed } = options;
    this.#volumeParts = {
      ledger: this.ledger,
      checksum: createChecksum({ isNativeAllowed }),
      plans: this.plans,
      newPolicy: settings.newPolicy ?? adaptiveLru,
      onEvicted: (cause, bytes) => {
        this.statistics.evictedBytes[cause] += bytes;
      },
    };
  }

  /**
   * A cache in the directory that the settings name. Where that cannot be used now, the cache is
   * there without one and tries again.
   * @throws CACHE_LOCATION_REFUSED on the root disk, unless the settings allow it
   */
  static async open(settings: CacheSettings, options: CacheOptions = {}): Promise<Cache> {
    const cache = new Cache({ ...settings, directory: resolve(settings.directory) }, options);
    cache.#location = cache.#locate();
    await cache.look();
    await cache.settled();
    if (options.isWatching ?? true) cache.#watch.start();
    return cache;
  }

  get volume(): CacheVolume | undefined {
    return this.#volume;
  }

  /** The same for whoever is about to use it, and none where the directory is another by now. */
  volumeInPlace(): CacheVolume | undefined {
    if (this.#volume && !this.#isThere(directory => directory.isLockInPlace())) {
      this.#lose(REPLACED);
    }
    return this.#volume;
  }

  /** With its reasons; undefined before the disk could be looked at. */
  get limit(): CacheLimit | undefined {
    return this.#settled?.limit;
  }

  get location(): CacheLocation | undefined {
    return this.#location;
  }

  get disk(): DiskState | undefined {
    return this.#disk;
  }

  /** Of the kubelet, where it watches this disk. */
  get evictionLines(): FoundLines | undefined {
    return this.#lines;
  }

  /** Why the limit fell last, since this process has opened it. */
  get lastShrink(): Shrink | undefined {
    return this.#housekeeping.lastShrink;
  }

  /** Why there is no directory at the moment. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** For the repository of this identity; of a node there are few, and they stay. */
  sharedReads(identity: string): SharedReads {
    return this.#shared.of(identity);
  }

  /** Looks at the disk and at the directory, and does what follows from it. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Other settings from now on. What they take away is gone when it resolves. */
  async change(settings: Partial<Omit<CacheSettings, 'directory' | 'node'>>): Promise<void> {
    await this.#looking;
    this.#settings = { ...this.#settings, ...settings };
    this.#lines = undefined;
    // What a person asks for holds at once, also where it is more.
    this.#settled = undefined;
    await this.look();
    await this.settled();
  }

  /** When what had to go for the limit is gone from the disk. */
  async settled(): Promise<void> {
    await this.#volume?.settled();
  }

  /**
   * The repository at this address was deleted: what is there of it goes before anything else, and
   * is gone when it resolves. One that is opened there afterwards is another one. Without a
   * directory at the moment it is done when there is one again.
   */
  async forgetRepository(name: string): Promise<void> {
    await this.#housekeeping.forgetRepository(name);
  }

  /** When everything that was there at the start is known again. */
  async recovered(): Promise<void> {
    await this.#housekeeping.recovered();
  }

  /** Something went wrong with the directory while it was used. */
  diskFailed(error: unknown): void {
    const code = systemCodeOf(error);
    this.statistics.noteError(code);
    if (isFull(code)) {
      this.#volume?.pauseGrowth();
      return;
    }
    this.#errors++;
    if (isFatal(code) || this.#errors >= ERRORS_MAX) this.#lose(messageOf(error));
  }

  /** Leaves what is on disk for the next time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.stop();
    await settlesWithin(this.#looking ?? Promise.resolve(), CLOSE_WAIT_MS);
    await this.#housekeeping.close(this.#moment());
    // Whoever opens the directory next finds no file that is about to go.
    const volume = this.#volume;
    await settlesWithin(this.settled(), CLOSE_WAIT_MS);
    this.#detach();
    if (volume) await settlesWithin(volume.settled(), CLOSE_WAIT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(): Promise<void> {
    try {
      if (this.#volume && !this.#isInPlace()) this.#lose(REPLACED);
      await this.#readLines();
      const space = await this.#readDisk();
      if (this.#isClosed) return;
      this.#follow(space);
      if (this.#volume === undefined && this.#clock.monotonic() >= this.#retryAtMs) {
        await this.#attach(space);
      }
      const { unvisitedDaysMax = UNVISITED_DAYS_MAX } = this.#settings;
      this.#housekeeping.look(() => this.#moment(), unvisitedDaysMax);
    } catch (error) {
      this.#lose(messageOf(error));
    }
  }

  async #readLines(): Promise<void> {
    const { evictionLines, kubeletConfiguration: path, kubeletDropIns: dropIns } = this.#settings;
    const before = this.#lines?.origin;
    if (!isWatched(this.#location)) this.#lines = undefined;
    else if (evictionLines) this.#lines = { lines: evictionLines, origin: 'settings' };
    else {
      const looking = this.#kubelet.look({ path, dropIns });
      // Only the first time is waited for: a disk that is busy must not delay the look at it.
      this.#lines = this.#lines === undefined ? await looking : this.#kubelet.found;
    }
    const origin = this.#lines?.origin;
    if (origin !== undefined && origin !== before) this.#tell({ kind: 'eviction lines', origin });
  }

  #readDisk(): Promise<DiskSpace> {
    const { directory } = this.#settings;
    if (this.#options.readDisk) return this.#options.readDisk(directory);
    if (this.#settled === undefined) return readDiskCarefully(directory);
    return readDisk(directory, this.#location?.fileSystem);
  }

  /** Brings the limit to where the disk wants it. */
  #follow(space: DiskSpace): void {
    const volume = this.#volume;
    const ownBytes = volume ? volume.segmentBytes() + volume.foreignBytes() : 0;
    const nowMs = this.#clock.monotonic();
    const othersBytes = space.totalBytes - space.freeBytes - ownBytes;
    const fallBytesPerSecond = this.#fall.note(othersBytes, nowMs);
    const ownInodes = this.#volume ? this.ledger.used.inodes : 0;
    this.#disk = { ...space, ownBytes, ownInodes, fallBytesPerSecond };
    const settings = limitSettings(this.#settings, this.#location, this.#lines?.lines ?? []);
    const wanted = cacheLimit(settings, this.#disk);
    const before = this.#settled;
    this.#settled = settleLimit(before, wanted, { nowMs, totalBytes: space.totalBytes });
    const { bytes, inodes } = this.#settled.limit;
    const roomToTake = Math.max(0, bytes.amount - ownBytes);
    this.#lookIntervalMs = lookIntervalMs({
      headroomBytes: Math.max(0, headroomBytes(settings, this.#disk) - roomToTake),
      fallBytesPerSecond,
      isFalling: this.#fall.isFalling,
      cacheBytes: Math.max(ownBytes, bytes.amount),
    });
    this.#volume?.setLimit({ bytes: bytes.amount, inodes: inodes.amount });
    this.#volume?.resumeGrowth();
    if (before?.limit.bytes.amount !== bytes.amount) {
      const [fromBytes, toBytes] = [before?.limit.bytes.amount ?? 0, bytes.amount];
      const { reason } = bytes;
      if (toBytes < fromBytes) this.#housekeeping.limitFell({ fromBytes, toBytes, reason });
      this.#tell({ kind: 'limit', bytes: bytes.amount, reason: bytes.reason });
    }
  }

  async #attach(space: DiskSpace): Promise<void> {
    this.#retryAtMs = this.#clock.monotonic() + RETRY_MS;
    this.#location = this.#locate();
    if (this.#location?.isReadOnly) return this.#obstruct('the file system is read-only');
    const place = { location: this.#settings.directory, node: this.#settings.node };
    // What a process before this one has left counts as ours, and may have to go.
    const hasLeftovers = existsSync(cacheDirectoryOf(place));
    if (!hasLeftovers && !this.#hasRoom()) return this.#obstruct(NO_ROOM);
    const directory = CacheDirectory.open(place);
    if (typeof directory === 'string') return this.#obstruct(OBSTACLES[directory]);
    this.#directory = directory;
    this.ledger.adopt(BASE_CHARGE);
    const volume = await CacheVolume.open(directory.path, this.#volumeParts);
    if (this.#isClosed) {
      volume.close();
      return;
    }
    this.#volume = volume;
    this.#errors = 0;
    this.#follow(space);
    if (!this.#hasRoom()) return volume.settled().then(() => this.#lose(NO_ROOM));
    this.#obstacle = undefined;
    this.#housekeeping.attach(volume, async () => {
      const recovering = volume.recover().catch((error: unknown) => this.diskFailed(error));
      await Promise.all([recovering, tendSiblings(place, this.#location, this.#tell)]);
    });
    this.#tell({ kind: 'attached', directory: directory.path });
    const bytes = volume.foreignBytes();
    if (bytes > 0) this.#tell({ kind: 'foreign files', directory: directory.path, bytes });
  }

  #hasRoom(): boolean {
    return (this.#settled?.limit.bytes.amount ?? 0) >= ROOM_BYTES_MIN;
  }

  #moment(): CacheMoment {
    const { amount: limitBytes = 0, reason: limitReason = '' } = this.limit?.bytes ?? {};
    return {
      limitBytes,
      limitReason,
      reservedBytes: this.ledger.reserved.bytes,
      pinnedBytes: this.#volume ? pinnedBytes(this.plans, this.#volume.table) : 0,
    };
  }

  /** @throws CACHE_LOCATION_REFUSED */
  #locate(): CacheLocation | undefined {
    const location = locationOf(readMounts(), this.#settings.directory);
    if (location?.kind !== 'root disk' || this.#settings.isRootDiskAllowed) return location;
    throw new EngineError(
      'CACHE_LOCATION_REFUSED',
      `cache directory ${this.#settings.directory} is on the root file system; mount a volume ` +
        'there or allow the root disk explicitly',
    );
  }

  #isInPlace(): boolean {
    return this.#isThere(each => each.isInPlace() && (this.#volume?.isInPlace() ?? false));
  }

  #isThere(look: (directory: CacheDirectory) => boolean): boolean {
    try {
      return this.#directory !== undefined && look(this.#directory);
    } catch {
      return false;
    }
  }

  #obstruct(obstacle: string): void {
    if (this.#obstacle === obstacle) return;
    this.#obstacle = obstacle;
    this.#tell({ kind: 'unavailable', reason: obstacle });
  }

  #lose(reason: string): void {
    this.#retryAtMs = this.#clock.monotonic() + RETRY_MS;
    this.#detach();
    this.#obstruct(reason);
  }

  #detach(): void {
    this.#housekeeping.detach();
    this.#volume?.close();
    if (this.#directory) this.ledger.giveBack(BASE_CHARGE);
    try {
      this.#directory?.close();
    } finally {
      this.#volume = undefined;
      this.#directory = undefined;
    }
  }

  readonly #tell = (event: CacheEvent): void => {
    this.#options.onEvent?.(event);
  };
}
