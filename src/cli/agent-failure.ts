/** What a command says when the agent of this pod has not given what it was asked for. */
import { errorMessage } from "../lifecycle/error-message.ts";
import { AgentError } from "../status/client.ts";

const nobodyListens = ". Nobody listens there: `outrider doctor` says what would keep an agent from it";

/** One line: an answer that says why is told apart from none, and from another program's. */
export function agentFailure(port: number, error: unknown): string {
  const code = error instanceof AgentError ? error.code : "NO_ANSWER";
  const reason = errorMessage(error);
  switch (code) {
    case "STATUS":
      return `the agent on port ${port} answers with ${reason}`;
    case "NOT_AN_AGENT":
      return `what answers on port ${port} is no agent: ${reason}`;
    case "NO_ANSWER":
      return `the agent on port ${port} did not answer: ${reason}${reason.includes("ECONNREFUSED") ? nobodyListens : ""}`;
  }
}
