import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { RulesQuestion, Way } from "../../support/captured-rules.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../../support/own-network.ts";

const skip = whyNoOwnNetwork();

async function ask(question: RulesQuestion): Promise<void> {
  const problems = await inOwnNetwork<readonly string[]>({
    sysctls: {},
    program: join(import.meta.dirname, "../../support/captured-rules.ts"),
    options: question,
  });
  assert.deepEqual(problems, []);
}

/** Sets of options that each back end is tried with: some hundred runs of a program each. */
const runs = 6;

describe("rules of traffic capture in a real kernel", { skip }, () => {
  test("iptables of both kinds and nft accept those of every golden file", async () => {
    await ask({ show: "accepted" });
  });

  test("connections of TPROXY are counted with the image's programs, and what cannot be counted is said", async () => {
    await ask({ show: "departing" });
  });

  for (const way of ["iptables-nft", "iptables-legacy", "native-nft"] satisfies readonly Way[]) {
    describe(way, () => {
      test("any valid options are accepted, twice is once, and cleaning leaves what was there before", async () => {
        await ask({ show: "applied", way, runs });
      });
      test("another configuration replaces one, and another back end does", async () => {
        await ask({ show: "changed", way });
      });
      test("what the kernel refuses half-way is taken back whole", async () => {
        await ask({ show: "rolled-back", way });
      });
      test("what somebody has damaged or left half is repaired", async () => {
        await ask({ show: "repaired", way });
      });
    });
  }
});
