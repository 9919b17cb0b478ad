/**
 * What is fuzzed: a part that takes bytes from outside, with a rule for what it may answer.
 */

/** A part that runs and takes inputs. */
export interface OpenTarget extends AsyncDisposable {
  /** Give it one input and wait for what becomes of it. Rejects when the answer breaks a rule. */
  feed(input: Buffer): Promise<void>;
  /** Rejects unless it still does what it is there for. Called now and then, with no input under way. */
  whole(): Promise<void>;
}

export interface FuzzTarget {
  readonly name: string;
  /** Folder below `corpus/`: inputs that are tried first, and that others are made from. */
  readonly corpus: string;
  /** More inputs to make others from, such as messages that a library encodes. */
  readonly seeds?: readonly Buffer[];
  /** Words that mean something to it. */
  readonly words: readonly string[];
  /** Inputs under way at the same time; above one where an answer is waited for on a socket. */
  readonly concurrency: number;
  /** Length that an input has at most, in bytes. */
  readonly maxBytes: number;
  open(): Promise<OpenTarget>;
}
