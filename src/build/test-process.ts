/** Loaded before a test file, in its process. */
import { enableCompileCache } from "node:module";
import { compileCacheFolder } from "./compile-cache.ts";

enableCompileCache(compileCacheFolder);

// A test file's process is ended once its tests are, whatever it has left open, and results that wait for a slow reader
// would end with it: so they do not wait. Files and terminals have no such handle and need none.
const { _handle: handle } = process.stdout as { _handle?: { setBlocking?(isBlocking: boolean): void } };
handle?.setBlocking?.(true);
