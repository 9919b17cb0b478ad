import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { agentFailure } from "../../../src/cli/agent-failure.ts";
import { AgentError } from "../../../src/status/client.ts";

describe("what a command says without an agent's answer", () => {
  for (const { error, said } of [
    {
      error: new AgentError("STATUS", "status 404: there is no DNS proxy"),
      said: "the agent on port 15020 answers with status 404: there is no DNS proxy",
    },
    {
      error: new AgentError("NOT_AN_AGENT", "it answers /debug/dns with something that no agent says"),
      said: "what answers on port 15020 is no agent: it answers /debug/dns with something that no agent says",
    },
    {
      error: new AgentError("NO_ANSWER", "connect ECONNREFUSED 127.0.0.1:15020"),
      said:
        "the agent on port 15020 did not answer: connect ECONNREFUSED 127.0.0.1:15020. " +
        "Nobody listens there: `outrider doctor` says what would keep an agent from it",
    },
    { error: new Error("socket hang up"), said: "the agent on port 15020 did not answer: socket hang up" },
  ])
    test(said, () => {
      assert.equal(agentFailure(15_020, error), said);
    });
});
