/**
 * A progress line on a terminal, few lines elsewhere.
 */
import type { FetchProgress } from "../envoy/binary/fetch.ts";
import type { CommandContext } from "./command.ts";

/** Shows a fetch; `end` closes the line. */
export interface ProgressLine {
  readonly update: (progress: FetchProgress) => void;
  readonly end: () => void;
}

const barWidth = 30;

/** Writes to standard error, so that standard output stays what a script expects. */
export function fetchProgressLine(context: Pick<CommandContext, "terminal" | "printError">): ProgressLine {
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
        context.printError(`fetching Envoy: ${amount}`);
        return;
      }
      const done = Math.round(share * barWidth);
      terminal.write(`\rfetching Envoy  ${"█".repeat(done)}${"░".repeat(barWidth - done)}  ${amount} `);
    },
    end: () => {
      if (shown >= 0) terminal?.write("\n");
    },
  };
}
