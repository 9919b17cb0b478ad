/**
 * Keeps the bootstrap that Envoy prints when it refuses it out of the log: a thousand lines at each restart, which the
 * flight recorder has anyway.
 *
 * Only what follows Envoy's word that it ends over its configuration is left out: a serving Envoy may have its access
 * log among these lines.
 */
import { parseEnvoyLine } from "./envoy-output.ts";
import { envoyWords } from "./envoy-words.ts";

/** Lines without a layout that are passed on after that word. */
const passedLines = 10;

/** Decides for one Envoy which lines of its output go to the log. */
export class PrintedBootstrap {
  #hasRefused = false;
  #bareLines = 0;

  /** Lines that were left out. */
  get leftOut(): number {
    return Math.max(0, this.#bareLines - passedLines);
  }

  /** True when the log is to have this line, the next of the output. */
  passes(line: string): boolean {
    if (!this.#hasRefused && !line.includes("error ")) return true;
    const { level, message } = parseEnvoyLine(line);
    // The word is always in Envoy's own layout.
    if (level !== undefined) {
      this.#hasRefused ||= level === "critical" && envoyWords.endsOverConfiguration.test(message);
      return true;
    }
    if (!this.#hasRefused) return true;
    this.#bareLines += 1;
    return this.#bareLines <= passedLines;
  }
}
