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
  /** From now on signals are no requests to stop: each goes to `listener`, those included that are ignored otherwise. */
  readonly passTo: (listener: (name: NodeJS.Signals) => void) => void;
}

/** A request to stop came as this signal. */
export class SignalReceived extends Error {
  override readonly name = "SignalReceived";
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals, again = "") {
    super(`received signal ${signal}${again}`);
    this.signal = signal;
  }
}

/**
 * The same signal again within this time, in milliseconds, is the same request: npm passes the terminal's SIGINT
 * on to a process that already got it.
 */
const echoMs = 1_000;

/** Requests to stop. */
const stopSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Of no meaning to this program, but perhaps to one that it runs. */
const otherSignals = ["SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] as const;

/** Listen for SIGTERM, SIGINT and SIGHUP (a closed terminal). */
export function subscribeToSignals(source: SignalSource, now: () => number): StopSignals {
  const shutdown = new AbortController();
  const hurry = new AbortController();
  let last: { readonly name: string; readonly at: number } | undefined;
  let passOn: ((name: NodeJS.Signals) => void) | undefined;
  const receive = (name: NodeJS.Signals): void => {
    if (passOn !== undefined) {
      passOn(name);
      return;
    }
    const at = now();
    const isEcho = last !== undefined && last.name === name && at - last.at < echoMs;
    last ??= { name, at };
    if (isEcho) return;
    if (shutdown.signal.aborted) hurry.abort(new SignalReceived(name, " again"));
    else shutdown.abort(new SignalReceived(name));
  };
  for (const name of stopSignals) source.on(name, receive);
  return {
    shutdown: shutdown.signal,
    hurry: hurry.signal,
    passTo: (listener) => {
      passOn = listener;
      for (const name of otherSignals) source.on(name, receive);
    },
  };
}
