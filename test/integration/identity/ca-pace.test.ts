/** How often a CA is asked, whatever it says and whatever is set. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import type { GrpcCode } from "../../../src/grpc/status-code.ts";
import { type CaAnswer, TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { identityOptions } from "../../support/identity-options.ts";
import { runManager } from "../../support/running-manager.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { validity } from "../../support/test-pki.ts";

/** The answers in turn, the last one for ever. */
function inTurn(...answers: readonly CaAnswer[]): CaAnswer {
  let next = 0;
  return (call) => {
    const answer = answers[Math.min(next, answers.length - 1)];
    next += 1;
    return answer === undefined ? Promise.reject(new Error("no answers")) : answer(call);
  };
}

function failing(code: GrpcCode): CaAnswer {
  return () => Promise.reject(new GrpcError(code, "scripted"));
}

describe("a CA is never asked without a pause", { concurrency: true }, () => {
  const cases = [
    ["a certificate of a second, all of it grace", 2, 1_000],
    ["a certificate of a day, all of it grace", 1, 86_400_000],
    ["a certificate that ends on its way", 0.5, 150],
    ["a certificate of a second, none of it grace", 0, 1_000],
  ] as const;
  for (const [what, gracePeriodRatio, lifeMs] of cases) {
    test(what, async () => {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen({ tls: false });
      ca.answer = ca.issuing(() => validity(-60_000, lifeMs));
      const rotation = { gracePeriodRatio, gracePeriodJitter: 0 };
      const options = identityOptions(folder.path, ca, { rotation });
      const started = performance.now();
      await using _running = runManager({ ...options, tls: undefined });
      await eventually("three seconds", () => assert.ok(performance.now() - started > 3_000), {
        withinMs: 10_000,
      });
      const elapsedMs = performance.now() - started;
      // A failure is followed by half of the half second at least.
      assert.ok(ca.calls.length <= 2 + elapsedMs / 250, `${ca.calls.length} calls in ${elapsedMs} ms`);
      assert.ok(ca.calls.length >= 1);
    });
  }
});

describe("what a CA answers", { concurrency: true }, () => {
  for (const code of ["UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED", "INTERNAL"] as const) {
    test(`${code} for a moment: the same request is signed soon, and nobody hears of a problem`, async () => {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen();
      const { answer } = ca;
      ca.answer = inTurn(failing(code), failing(code), failing(code), failing(code), answer);
      await using running = runManager(identityOptions(folder.path, ca));
      await running.secret();
      assert.equal(ca.calls.length, 5);
      assert.equal(new Set(ca.calls.map(({ csr }) => csr)).size, 1);
      assert.doesNotMatch(running.lines.join("\n"), /no new workload certificate/);
      assert.match(
        await running.metrics.render(),
        /istio_agent_num_outgoing_retries\{request_type="csr"\} 4\n/,
      );
    });

    test(`${code} for longer: after five times it is a problem, and the next request is a new one`, async () => {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen();
      ca.answer = failing(code);
      await using running = runManager(identityOptions(folder.path, ca));
      assert.match(await running.problem("CA_UNAVAILABLE"), /scripted/);
      await eventually("a sixth call", () => assert.ok(ca.calls.length > 5), { withinMs: 10_000 });
      const requests = ca.calls.map(({ csr }) => csr);
      assert.equal(new Set(requests.slice(0, 5)).size, 1);
      assert.notEqual(requests[5], requests[0]);
    });
  }

  for (const code of ["CANCELLED", "PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT"] as const) {
    test(`${code}, which does not pass: it is a problem at once`, async () => {
      using folder = temporaryFolder();
      await using ca = await TestCa.listen();
      ca.answer = failing(code);
      await using running = runManager(identityOptions(folder.path, ca));
      await eventually("two calls", () => assert.ok(ca.calls.length >= 2), { withinMs: 10_000 });
      assert.notEqual(ca.calls[0]?.csr, ca.calls[1]?.csr);
      assert.notEqual(running.manager.state.current.problem, undefined);
    });
  }

  test("a certificate, without a token: it is served, and the missing token is told once", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    ca.answer = ca.issuing(() => validity(-60_000, 2_000));
    const options = identityOptions(folder.path, ca);
    rmSync(options.tokenPath);
    await using running = runManager(options);
    const first = await running.secret();
    await running.secret(({ serial }) => serial !== first.serial);
    assert.deepEqual([...new Set(ca.calls.map(({ authorization }) => authorization))], [undefined]);
    assert.equal(running.lines.filter((line) => line.includes("asked without a token")).length, 1);
  });
});
