/**
 * What the running agent itself says is wrong: first of all why it is not ready.
 */
import { shortType } from "../xds/type-urls.ts";
import type { RunningAgent } from "../envoy/inspect/running-agent.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { AgentClient } from "../status/client.ts";
import type { AgentReport } from "../status/contract/agent-report.ts";
import { reportRoute } from "../status/routes/report.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";
import { judgeRefused } from "./refused.ts";
import type { Check } from "./run-checks.ts";

/** Longest wait for the agent, in milliseconds. */
const reportMs = 5_000;

const name = "readiness";

/** What is told by findings of its own. */
const toldElsewhere = /^(?:not-ready-|xds-refused$)/;

/** Readiness first, then each problem by its cause, then what Envoy refuses. */
export function judgeAgent(report: AgentReport): readonly Finding[] {
  const problems = (report.problems ?? []).filter(({ cause }) => !toldElsewhere.test(cause));
  return [
    judgeReadiness(report),
    ...problems.map(({ cause, reason, remedy, since }) =>
      warning(cause, `since ${since}: ${reason}`, remedy ?? "see the findings below for what it depends on"),
    ),
    ...judgeRefused(
      (report.xds.refused ?? []).map(({ typeUrl, ...refused }) => ({ ...refused, type: shortType(typeUrl) })),
    ),
  ];
}

function judgeReadiness({ ready, reason, conditions = [] }: AgentReport): Finding {
  if (ready) return ok(name, "the running agent is ready");
  const failing = conditions.find(({ status }) => status === "fails");
  const since = failing === undefined ? "" : ` since ${failing.since}`;
  return failure(
    name,
    `the running agent is not ready${since}: ${reason ?? failing?.reason ?? "it does not say why"}`,
    failing?.remedy ?? "the findings below say what it depends on",
  );
}

/** Without an agent there is nobody to ask. */
export function agentChecks(statusPort: number, agent: RunningAgent): readonly Check[] {
  if (agent.pid === undefined || statusPort === 0) return [];
  return [
    {
      name,
      run: async () => {
        try {
          return judgeAgent(await AgentClient.onPort(statusPort).ask(reportRoute, { withinMs: reportMs }));
        } catch (error) {
          const seen = `the running agent (pid ${agent.pid}) does not answer on its status port ${statusPort}: ${errorMessage(error)}`;
          return [warning(name, seen, "look at its log, and whether it is stopped or throttled")];
        }
      },
    },
  ];
}
