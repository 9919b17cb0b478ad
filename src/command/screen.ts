/**
 * Draws lines in place on a terminal.
 */
import type { Terminal } from "./command.ts";

const enter = "\u001B[?1049h\u001B[?25l";
const leave = "\u001B[?25h\u001B[?1049l";

/** The alternate screen, until disposed. */
export class Screen implements Disposable {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(enter);
  }

  get columns(): number {
    return this.#terminal.columns();
  }

  /** Rows that a picture may have. */
  get rows(): number {
    return Math.max(1, this.#terminal.rows() - 1);
  }

  /** One write per frame, each line cleared behind its text, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    const visible = lines.slice(0, this.rows);
    this.#terminal.write(`\u001B[H${visible.map((line) => `${line}\u001B[K\r\n`).join("")}\u001B[J`);
  }

  [Symbol.dispose](): void {
    this.#terminal.write(leave);
  }
}
