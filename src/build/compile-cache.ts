/** Where Node.js keeps what it has made of the sources for the tests: without types, and compiled. */
import { join } from "node:path";

/** Known by content and Node.js' version, so it is never stale; what cannot write there does without. */
export const compileCacheFolder = join(import.meta.dirname, "../../node_modules/.cache/compile");
