/**
 * Which signals a program in the foreground of a terminal gets from the terminal itself.
 *
 * A command that outrider runs shares its process group, so that it may read from the terminal and job control
 * works. Ctrl-C then reaches both of them: passing it on would deliver it twice.
 */
import { readFileSync } from "node:fs";

/** Keys and window changes, sent by the kernel to every process of the foreground group (termios(3)). */
const keyboard: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/** True when the terminal has sent `signal` to this whole process group. */
export function terminalSends(signal: NodeJS.Signals): boolean {
  return keyboard.has(signal) && isForeground(readFileSync("/proc/self/stat", "utf8"));
}

/** True when the process of this `/proc/<pid>/stat` is in the foreground group of its terminal (proc(5)). */
export function isForeground(stat: string): boolean {
  // The command's name stands in parentheses and may hold anything.
  const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return terminal !== "0" && group === foreground;
}
