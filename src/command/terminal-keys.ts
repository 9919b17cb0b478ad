/**
 * Keys of a terminal, one by one.
 */
import type { ReadStream } from "node:tty";

const interrupt = "\u0003";

/** A raw terminal sends no signals for its keys: the one that interrupts is told apart here. Not a terminal, no keys. */
export function terminalKeys(
  input: ReadStream,
  listener: (key: string) => void,
  onInterrupt: () => void,
): Disposable {
  if (!input.isTTY) return { [Symbol.dispose]: () => undefined };
  const onData = (bytes: Buffer): void => {
    const key = bytes.toString("latin1");
    if (key.includes(interrupt)) onInterrupt();
    else listener(key);
  };
  // A terminal that has been closed is the end of the program, which gets a signal for that.
  input.on("error", () => undefined);
  input.setRawMode(true);
  input.on("data", onData);
  return {
    [Symbol.dispose]: () => {
      input.off("data", onData);
      try {
        input.setRawMode(false);
      } catch {
        // It is gone.
      }
      input.pause();
    },
  };
}
