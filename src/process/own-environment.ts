/**
 * The environment as the release was started with, and what its launcher has changed in it for Node.js alone.
 *
 * Node.js and OpenSSL take orders from variables: to load code, to trust other roots or none, to print what they send.
 * The launcher hides these by another first byte and adds two for the allocator; children get all of it as it was.
 */

/** Variables by name. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Set by the launcher: which of `addedVariables` it has added, as a character from "0" on whose bits count them. Empty
 * where there was no launcher, and the program has started anew without what it would have hidden.
 */
export const launchedVariable = "OUTRIDER_LAUNCHED";

/**
 * What the release sets unless it is set: glibc would give each of Node.js' threads a heap of its own, and keep the
 * pages of a large buffer once one was freed.
 */
export const addedVariables: readonly (readonly [name: string, value: string])[] = [
  ["MALLOC_ARENA_MAX", "1"],
  ["MALLOC_MMAP_THRESHOLD_", "1048576"],
];

/** What Node.js and its libraries do not get to see. */
export const hiddenVariables: readonly string[] = [
  // Code and options from outside.
  ...["NODE_OPTIONS", "NODE_PATH", "NODE_REPL_EXTERNAL_MODULE", "NODE_ICU_DATA"],
  ...["NODE_PRESERVE_SYMLINKS", "NODE_PRESERVE_SYMLINKS_MAIN"],
  ...["OPENSSL_CONF", "OPENSSL_CONF_INCLUDE", "OPENSSL_MODULES", "OPENSSL_ENGINES"],
  // Whom to trust, and whether at all.
  ...["NODE_TLS_REJECT_UNAUTHORIZED", "NODE_EXTRA_CA_CERTS", "NODE_USE_SYSTEM_CA", "NODE_USE_ENV_PROXY"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "GRPC_SSL_CIPHER_SUITES"],
  // Files and lines with what is nobody's business.
  ...["SSLKEYLOGFILE", "NODE_DEBUG", "NODE_DEBUG_NATIVE", "NODE_V8_COVERAGE", "NODE_REDIRECT_WARNINGS"],
  ...["GRPC_TRACE", "GRPC_VERBOSITY", "GRPC_NODE_TRACE", "GRPC_NODE_VERBOSITY"],
  ...["NODE_COMPILE_CACHE", "NODE_COMPILE_CACHE_PORTABLE", "NODE_PENDING_DEPRECATION", "NODE_TEST_CONTEXT"],
  // Descriptors that a parent in Node.js has opened.
  ...["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_UNIQUE_ID"],
  // How the event loop works.
  ...["UV_THREADPOOL_SIZE", "UV_USE_IO_URING"],
];

/** First byte of a hidden name, in the place of its own. */
const mask = "\u0001";

const byHidden: ReadonlyMap<string, string> = new Map(hiddenVariables.map((name) => [hidden(name), name]));

function hidden(name: string): string {
  return `${mask}${name.slice(1)}`;
}

/**
 * What the sources are to start anew with, which have no launcher. Undefined when the environment will do, and once
 * something has hidden what is to be hidden.
 */
export function hiddenEnvironment(env: Environment): Record<string, string> | undefined {
  const given = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  if (env[launchedVariable] !== undefined || !given.some(([name]) => hiddenVariables.includes(name)))
    return undefined;
  return Object.fromEntries([
    ...given.map(([name, value]) => [hiddenVariables.includes(name) ? hidden(name) : name, value] as const),
    [launchedVariable, ""],
  ]);
}

/** The environment before the launcher; `env` as it is where there was none. */
export function originalEnvironment(env: Environment): Environment {
  const mark = env[launchedVariable];
  if (mark === undefined) return env;
  const bits = mark === "" ? 0 : mark.charCodeAt(0) - "0".charCodeAt(0);
  const added = new Set(
    addedVariables.flatMap(([name], index) => ((bits & (1 << index)) === 0 ? [] : [name])),
  );
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name === launchedVariable || added.has(name) ? [] : [[byHidden.get(name) ?? name, value] as const],
    ),
  );
}
