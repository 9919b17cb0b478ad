/**
 * A progress line on a terminal, few lines elsewhere.
 */
import type { CommandContext } from "./command.ts";

/** Shows how far something is; `end` closes the line. */
export interface ProgressLine {
  readonly update: (progress: { readonly receivedBytes: number; readonly totalBytes: number }) => void;
  readonly end: () => void;
}

const barWidth = 30;

/**
 * Writes to standard error, so that standard output stays what a script expects.
 *
 * @param doing what it is that takes so long, such as `fetching Envoy`
 */
export function progressLine(
  doing: string,
  context: Pick<CommandContext, "terminal" | "printError">,
): ProgressLine {
  const { terminal } = context;
  let shown = -1;
  return {
    update: ({ receivedBytes, totalBytes }) => {
      const share = receivedBytes / totalBytes;
      const step = terminal === undefined ? Math.floor(share * 4) : Math.floor(share * 100);
      if (step === shown) return;
      shown = step;
      const amount = `${Math.round(receivedBytes / 2 ** 20)} of ${Math.round(totalBytes / 2 ** 20)} MiB`;
      if (terminal === undefined) {
        context.printError(`${doing}: ${amount}`);
        return;
      }
      const done = Math.round(share * barWidth);
      terminal.write(`\r${doing}  ${"█".repeat(done)}${"░".repeat(barWidth - done)}  ${amount} `);
    },
    end: () => {
      if (shown >= 0) terminal?.write("\n");
    },
  };
}
