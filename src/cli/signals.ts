/**
 * Requests to stop, as two abort signals.
 */

/** Where signals come from; `process` satisfies it. */
export interface SignalSource {
  on(event: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown;
}

/** Aborted in this order. */
export interface StopSignals {
  /** The first request. */
  readonly shutdown: AbortSignal;
  /** The second one: stop without waiting. */
  readonly hurry: AbortSignal;
}

/**
 * The same signal again within this time, in milliseconds, is the same request: npm passes the terminal's SIGINT
 * on to a process that already got it.
 */
const echoMs = 1_000;

/** Listen for SIGTERM, SIGINT and SIGHUP (a closed terminal). */
export function subscribeToSignals(source: SignalSource, now: () => number): StopSignals {
  const shutdown = new AbortController();
  const hurry = new AbortController();
  let last: { readonly name: string; readonly at: number } | undefined;
  const receive = (name: NodeJS.Signals): void => {
    const at = now();
    const isEcho = last !== undefined && last.name === name && at - last.at < echoMs;
    last ??= { name, at };
    if (isEcho) return;
    if (shutdown.signal.aborted) hurry.abort(new Error(`received signal ${name} again`));
    else shutdown.abort(new Error(`received signal ${name}`));
  };
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) source.on(name, receive);
  return { shutdown: shutdown.signal, hurry: hurry.signal };
}
