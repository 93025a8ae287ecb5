import { runTogether } from './run-together.ts';

await runTogether('engine/base', 'engine/hash', 'engine/cipher', 'engine/chunk', 'engine/compress');
