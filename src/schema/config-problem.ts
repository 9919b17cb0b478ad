/** One thing wrong with the agent's configuration, and where it came from. */
export interface ConfigProblem {
  /** Where the value was read: `--concurrency`, `PROXY_CONFIG`, `./etc/istio/config/mesh`. */
  readonly source: string;
  /** Path to the value inside its source; empty for a flag or a plain variable. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

/**
 * The configuration cannot be used.
 *
 * Carries every problem found: whoever edits a pod template wants to do it once.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join("\n"));
    this.problems = problems;
  }
}

/** "PROXY_CONFIG: statusPort: …". */
export function describeProblem({ source, path, message }: ConfigProblem): string {
  return [source, path, message].filter((part) => part !== "").join(": ");
}

/** No more of a value than a line has room for, as JSON. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}… (${text.length} characters)`;
}

const longestShown = 200;
