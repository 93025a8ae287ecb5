import t from 'tap';
import { MemoryStorage } from '#engine/storage/memory.ts';
import { storageCompliance } from './compliance.ts';

storageCompliance(t, 'memory', async () => new MemoryStorage());
