import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chosen } from "../../../src/beside/find-agent.ts";

const byDefault = {
  configPath: "./etc/istio/proxy",
  statusPort: 15_020,
  adminPort: 15_000,
  envoyStatusPort: 15_021,
};

function agent(name: string, statusPort: number): Parameters<typeof chosen>[0][number] {
  return {
    name,
    pid: statusPort,
    statusPort,
    adminPort: statusPort + 1,
    envoyStatusPort: 0,
    configPath: `/${name}`,
  };
}

const web = agent("web-1.demo", 1_000);
const api = agent("api-1.demo", 2_000);

describe("the agent that a command is about", () => {
  const rows: readonly (readonly [
    what: string,
    agents: readonly (typeof web)[],
    name: string | undefined,
    expected: number | string,
  ])[] = [
    ["is the usual one where none has said that it is here", [], undefined, 15_020],
    ["is the only one", [web], undefined, 1_000],
    ["is the one with this name", [web, api], "api-1.demo", 2_000],
    ["may be named by its pod", [web, api], "api-1", 2_000],
    ["may be named by how its pod's name begins", [web, api], "web", 1_000],
    [
      "is to be chosen where there are several",
      [api, web],
      undefined,
      "several agents run here: choose with --name one of api-1.demo, web-1.demo",
    ],
    ["is the one that is named in full", [agent("api.demo", 1), agent("api.demo-eu", 2)], "api.demo", 1],
    ["is the pod that is named before one whose name only begins so", [agent("web.demo", 1), web], "web", 1],
    ["is none of another name", [web], "we", "--name: no agent is called we; there are web-1.demo"],
    ["is not guessed", [], "web", "--name: no agent is called web; no agent of this user runs here"],
    [
      "is to be named in full where a beginning fits several",
      [web, agent("web-2.demo", 3_000), api],
      "web",
      "several agents run here: choose with --name one of web-1.demo, web-2.demo",
    ],
  ];
  for (const [what, agents, name, expected] of rows) {
    test(what, () => {
      const found = chosen(agents, name, byDefault);
      assert.equal(found.kind === "found" ? found.statusPort : found.problem, expected);
    });
  }
});
