/**
 * The agent's configuration: every problem that keeps it from starting, and what is odd but usable.
 */
import { type ConfigProblem, describeProblem } from "../schema/config-problem.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

const name = "configuration";

/** What decides. */
export interface ConfigurationFacts {
  readonly problems: readonly ConfigProblem[];
  /** What is odd but usable. */
  readonly warnings: readonly string[];
  /** Flags that this release does not know. */
  readonly unknownFlags: readonly string[];
  /** Pid of the agent whose flags and environment were taken; undefined when they are the caller's own. */
  readonly flagsOf: number | undefined;
}

/** One finding per problem and warning, or one that says that all is well. */
export function judgeConfiguration(facts: ConfigurationFacts): readonly Finding[] {
  const { problems, warnings, unknownFlags, flagsOf } = facts;
  const findings = [
    ...problems.map((problem) =>
      failure(
        name,
        describeProblem(problem),
        `correct ${problem.source}: outrider exits with code 64 until then`,
      ),
    ),
    ...warnings.map((text) => warning(name, text, "correct the variable, or leave it out")),
    ...(unknownFlags.length === 0
      ? []
      : [
          warning(
            name,
            `flags that this release does not know are ignored: ${unknownFlags.join(" ")}`,
            "correct their spelling, or leave them out",
          ),
        ]),
  ];
  if (findings.length > 0) return findings;
  const whose =
    flagsOf === undefined
      ? "flags, environment"
      : `flags and environment of the running agent (pid ${flagsOf})`;
  return [ok(name, `${whose}, mesh config and pod info can be used`)];
}
