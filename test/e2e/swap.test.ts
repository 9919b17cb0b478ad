import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, test } from "node:test";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startLoad } from "../support/load.ts";
import { unexplained } from "../support/overlap-loss.ts";
import { startStaticSidecar } from "../support/static-sidecar.ts";

describe("a changed bootstrap", () => {
  for (const mode of ["overlap", "hot", "cold"] as const) {
    test(`is swapped in by ${mode}, and nothing of the old Envoy stays`, async () => {
      await using lone = await startStaticSidecar({ flags: [`--swapMode=${mode}`] });
      const before = await lone.pid();
      await using load = startLoad(() => lone.call());
      lone.write(lone.bootstrap("second"));
      const report = await lone.reload();
      assert.equal(report.result === "swapped" && report.mode, mode, JSON.stringify(report));
      await eventually("the new answer", async () => assert.equal(await lone.answer(), "second"), {
        withinMs: 5_000,
      });
      await eventually("the old Envoy gone", () => assert.equal(existsSync(`/proc/${before}`), false), {
        withinMs: 10_000,
      });
      const failures = await load.stop();
      if (mode !== "cold") assert.deepEqual(unexplained(mode, failures), []);
      const folder = join(lone.sidecar.folder, "etc/istio/proxy");
      await eventually(
        "the old Envoy's folder gone",
        () =>
          assert.deepEqual(
            [1, 2].map((number) => existsSync(join(folder, "generations", String(number)))),
            [false, true],
          ),
        { withinMs: 5_000 },
      );
      assert.match(readFileSync(join(folder, "envoy-rev.json"), "utf8"), /second/);
    });
  }

  test("is noticed without being told", async () => {
    await using lone = await startStaticSidecar();
    lone.write(lone.bootstrap("noticed"));
    await eventually("the new answer", async () => assert.equal(await lone.answer(), "noticed"), {
      withinMs: 15_000,
    });
  });

  test("that is the same is no reason to swap, and says so", async () => {
    await using lone = await startStaticSidecar();
    const before = await lone.pid();
    const unchanged = { result: "unchanged", generation: 1 };
    assert.deepEqual(await lone.reload(), unchanged);
    // However many ask at once, each is answered.
    const reports = await Promise.all(Array.from({ length: 500 }, () => lone.reload()));
    assert.deepEqual(
      reports.filter((report) => !isDeepStrictEqual(report, unchanged)),
      [],
    );
    assert.equal(await lone.pid(), before);
  });

  test("that Envoy refuses changes nothing, and is refused once", async () => {
    await using lone = await startStaticSidecar();
    const before = await lone.pid();
    await using load = startLoad(() => lone.call());
    lone.write(lone.bootstrap("second", { changes: { filter_chains: [{ filters: [{ name: "nobody" }] }] } }));
    const report = await lone.reload();
    assert.equal(report.result === "refused" && report.stage, "validate", JSON.stringify(report));
    assert.equal(await lone.pid(), before);
    assert.deepEqual(await load.stop(), []);
    const { envoy } = await lone.sidecar.report();
    assert.match(envoy.refused ?? "", /nobody/);
  });

  test("that is no configuration lists its problems and changes nothing", async () => {
    await using lone = await startStaticSidecar();
    lone.write("{ not yaml");
    const report = await lone.reload();
    assert.equal(report.result, "invalid");
    assert.match(report.result === "invalid" ? report.problems.join() : "", /bootstrap\.json: line 1/);
    assert.equal(await lone.answer(), "first");
  });

  test("goes by hot restart where a listener cannot be bound twice", async () => {
    await using lone = await startStaticSidecar({}, { reusePort: false });
    await using load = startLoad(() => lone.call());
    lone.write(lone.bootstrap("second"));
    const report = await lone.reload();
    assert.equal(report.result === "swapped" && report.mode, "hot", JSON.stringify(report));
    await sleep(3_000);
    assert.deepEqual(await load.stop(), []);
  });

  test("that wants a port of somebody else is refused before anything is started, and names the owner", async () => {
    await using lone = await startStaticSidecar({ flags: ["--swapMode=cold"] });
    const [taken = 0] = await freePorts(1);
    const squatter = createServer().listen(taken, "127.0.0.1");
    try {
      lone.write(lone.bootstrap("second", { port: taken }));
      const report = await lone.reload();
      assert.equal(report.result === "refused" && report.stage, "ports", JSON.stringify(report));
      assert.match(
        report.result === "refused" ? report.reason : "",
        new RegExp(`port ${taken} .*pid ${process.pid}`),
      );
      assert.equal(await lone.answer(), "first");
    } finally {
      squatter.close();
    }
  });

  test("that is bad when the agent starts gives way to the last good one of the agent before", async () => {
    await using lone = await startStaticSidecar();
    lone.sidecar.agent.kill("SIGTERM");
    await lone.sidecar.agent.exitWithin(10_000);
    lone.write(lone.bootstrap("second", { changes: { filter_chains: [{ filters: [{ name: "nobody" }] }] } }));
    const again = await lone.again();
    await again.ready();
    assert.equal(await lone.answer(), "first");
    assert.match((await again.report()).envoy.refused ?? "", /nobody/);
    assert.ok(again.agent.lines.some((line) => line.includes("going back to the last good bootstrap")));
  });
});
