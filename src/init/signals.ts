/**
 * The process's signals as values: requests to stop, to reload and to reopen log files.
 *
 * Every signal whose default would end the process or open Node's inspector has a handler here. As PID 1 a signal
 * without one does nothing when it is sent from inside the container, and everywhere else it kills.
 */
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";

/** Where signals come from; `process` satisfies it. */
export interface SignalSource {
  on(event: NodeJS.Signals, listener: (name: NodeJS.Signals) => void): unknown;
}

/** What the terminal's end, or an operator's `kill -HUP`, means to a command. */
export type HangupMeaning = "stop" | "reload";

/** What was asked for. */
export interface Signals {
  /** Aborts on the first request to stop. Its reason names the signal. */
  readonly shutdown: AbortSignal;
  /** Aborts on the second one: stop without waiting. */
  readonly hurry: AbortSignal;
  /** Requests to reload so far: SIGHUP, where it means that. */
  readonly reloadRequests: ReadonlyWatch<number>;
  /** Requests to reopen log files so far: SIGUSR1, as Envoy has it. */
  readonly reopenLogsRequests: ReadonlyWatch<number>;
  /** How often a child has ended, was stopped or goes on: SIGCHLD. */
  readonly childChanges: ReadonlyWatch<number>;
  /** To be called once the command is known: until then a SIGHUP is held back. */
  hangupMeans(meaning: HangupMeaning): void;
  /** From now on signals ask for nothing here: each goes to `listener`, those included that are ignored otherwise. */
  passTo(listener: (name: NodeJS.Signals) => void): void;
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

/**
 * Signals of timers, terminals and limits, that mean nothing here and would end the process. Those of the process's
 * own faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS) stay deadly, as to go on after one is worse;
 * real-time signals have no name in Node.js.
 */
const strays = [
  "SIGALRM",
  "SIGIO",
  "SIGPROF",
  "SIGPWR",
  "SIGSTKFLT",
  "SIGVTALRM",
  "SIGXCPU",
  "SIGXFSZ",
] as const satisfies readonly NodeJS.Signals[];

/** Listen for signals. A burst of one of them wakes a reader once. */
export function subscribeToSignals(source: SignalSource, now: () => number): Signals {
  const { shutdown, hurry, stop } = stopRequests(now);
  const reloadRequests = new Watch(0);
  const reopenLogsRequests = new Watch(0);
  const childChanges = new Watch(0);
  let hangup: HangupMeaning | "unknown" | "unknown-and-received" = "unknown";
  let passOn: ((name: NodeJS.Signals) => void) | undefined;
  const hangUp = (name: NodeJS.Signals): void => {
    if (hangup === "stop") stop(name);
    else if (hangup === "reload") reloadRequests.set(reloadRequests.current + 1);
    else hangup = "unknown-and-received";
  };
  const on = (name: NodeJS.Signals, own: (name: NodeJS.Signals) => void): void => {
    source.on(name, (received) => {
      (passOn ?? own)(received);
    });
  };

  // SIGQUIT is what some images have as STOPSIGNAL; a core dump of Node.js helps nobody.
  for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) on(name, stop);
  on("SIGHUP", hangUp);
  // Without a handler Node.js opens its inspector, which runs the code of whoever connects.
  on("SIGUSR1", () => {
    reopenLogsRequests.set(reopenLogsRequests.current + 1);
  });
  for (const name of ["SIGUSR2", ...strays] as const) on(name, () => undefined);
  source.on("SIGCHLD", () => {
    childChanges.set(childChanges.current + 1);
  });
  return {
    shutdown,
    hurry,
    reloadRequests,
    reopenLogsRequests,
    childChanges,
    hangupMeans: (meaning) => {
      const isDue = hangup === "unknown-and-received";
      hangup = meaning;
      if (isDue) hangUp("SIGHUP");
    },
    passTo: (listener) => {
      passOn = listener;
      on("SIGWINCH", () => undefined);
    },
  };
}

function stopRequests(now: () => number): {
  readonly shutdown: AbortSignal;
  readonly hurry: AbortSignal;
  readonly stop: (name: NodeJS.Signals) => void;
} {
  const shutdown = new AbortController();
  const hurry = new AbortController();
  let first: { readonly name: string; readonly at: number } | undefined;
  return {
    shutdown: shutdown.signal,
    hurry: hurry.signal,
    stop: (name) => {
      const at = now();
      const isEcho = first !== undefined && first.name === name && at - first.at < echoMs;
      first ??= { name, at };
      if (isEcho) return;
      if (shutdown.signal.aborted) hurry.abort(new SignalReceived(name, " again"));
      else shutdown.abort(new SignalReceived(name));
    },
  };
}
