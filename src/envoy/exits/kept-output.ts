/**
 * What is kept of an Envoy's output to explain its end: the last lines, and the beginnings of what it complained about
 * before them.
 *
 * Envoy says in its first line what it has against a bootstrap and prints the bootstrap after it, a thousand lines. A
 * complaint of long ago explains no end, and is let go.
 */
import { parseEnvoyLine } from "./envoy-output.ts";

/** Last lines that are kept. */
const keptLines = 200;

/** Complaints that are kept beside them, of each its first line. */
const keptComplaints = 8;

/** Age at which a complaint is let go, in milliseconds: an Envoy that ends over something ends soon. */
const complaintMs = 60_000;

/** Lines of one Envoy, of which a bounded number is kept. */
export class KeptOutput {
  readonly #now: () => number;
  readonly #last: string[] = [];
  #complaints: { readonly line: string; readonly at: number }[] = [];
  #gone = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  add(line: string): void {
    this.#last.push(line);
    if (this.#last.length <= keptLines) return;
    this.#gone += 1;
    const first = this.#last.shift() ?? "";
    if (!isComplaint(first)) return;
    this.#complaints.push({ line: first, at: this.#now() });
    if (this.#complaints.length > keptComplaints) this.#complaints.shift();
  }

  /** What is kept, oldest first, with a line for the rest where complaints stand before it. */
  get lines(): readonly string[] {
    this.#complaints = this.#complaints.filter(({ at }) => this.#now() - at < complaintMs);
    if (this.#complaints.length === 0) return [...this.#last];
    const left = this.#gone - this.#complaints.length;
    return [
      ...this.#complaints.map(({ line }) => line),
      ...(left > 0 ? [`[${left} lines left out]`] : []),
      ...this.#last,
    ];
  }
}

function isComplaint(line: string): boolean {
  // To take every line of a talkative Envoy apart would cost more than to print it.
  if (!/critical|error/.test(line)) return false;
  const { level, logger } = parseEnvoyLine(line);
  return (level === "critical" && logger !== "backtrace") || level === "error";
}
