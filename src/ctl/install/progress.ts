/**
 * How far an installation is: a line for each object, or on a terminal one that changes, and what stays.
 */
import type { CommandContext } from "../../command/command.ts";
import { visible } from "../visible.ts";

/** Shows it. */
export interface Progress {
  /** One object more is done. */
  readonly done: (name: string, what: string) => void;
  /** What is waited for, by the names of objects. */
  readonly waiting: (reasons: ReadonlyMap<string, string>) => void;
  /** The line that changes is over. */
  readonly end: () => void;
}

/** @param total how many objects there are */
export function progressOf(
  total: number,
  { terminal, print }: Pick<CommandContext, "terminal" | "print">,
): Progress {
  let count = 0;
  if (terminal === undefined)
    return {
      done: (name, what) => {
        print(`${name} ${what}`);
      },
      waiting: (reasons) => {
        for (const [name, reason] of reasons) print(`waiting for ${name}: ${reason}`);
      },
      end: () => undefined,
    };
  const draw = (text: string): void => {
    const width = Math.max(20, terminal.columns() - 1);
    const line = visible(text);
    terminal.write(`\r\u001B[K${line.length > width ? `${line.slice(0, width - 1)}…` : line}`);
  };
  return {
    done: (name, what) => {
      count += 1;
      draw(`${count}/${total} ${name} ${what}`);
    },
    waiting: (reasons) => {
      const [[name, reason] = ["", ""]] = reasons;
      const more = reasons.size > 1 ? ` (and ${reasons.size - 1} more)` : "";
      draw(`waiting for ${name}: ${reason}${more}`);
    },
    end: () => {
      terminal.write("\r\u001B[K");
    },
  };
}
