import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findingLines } from "../../../src/cli/findings.ts";
import { formatBytes } from "../../../src/doctor/bytes.ts";
import { judgeConfiguration } from "../../../src/doctor/configuration.ts";
import { formatDuration } from "../../../src/lifecycle/format-duration.ts";
import { failure, ok, warning } from "../../../src/doctor/finding.ts";
import { runChecks } from "../../../src/doctor/run-checks.ts";
import { expectFinding } from "../../support/findings.ts";

describe("configuration", () => {
  test("every problem, warning and unknown flag is a finding", () => {
    const problems = [
      { source: "PROXY_CONFIG", path: "statusPort", message: "is not a port" },
      { source: "--concurrency", path: "", message: "is not a number" },
    ];
    const findings = judgeConfiguration({
      problems,
      warnings: ["SECRET_TTL: odd"],
      unknownFlags: ["--new"],
      flagsOf: undefined,
    });
    assert.deepEqual(
      findings.map(({ verdict, seen }) => [verdict, seen]),
      [
        ["failure", "PROXY_CONFIG: statusPort: is not a port"],
        ["failure", "--concurrency: is not a number"],
        ["warning", "SECRET_TTL: odd"],
        ["warning", "flags that this release does not know are ignored: --new"],
      ],
    );
    const well = { problems: [], warnings: [], unknownFlags: [], flagsOf: 7 };
    expectFinding(
      judgeConfiguration(well)[0],
      "ok",
      /flags and environment of the running agent \(pid 7\).*can be used/,
    );
  });
});

describe("runChecks()", () => {
  test("a check that throws and one that hangs hide no other", async () => {
    let stopped = false;
    const findings = await runChecks(
      [
        {
          name: "broken",
          run: () => {
            throw new Error("EACCES");
          },
        },
        {
          name: "stuck",
          run: (signal) => {
            signal.addEventListener("abort", () => {
              stopped = true;
            });
            return new Promise(() => undefined);
          },
        },
        { name: "well", run: () => [ok("well", "seen")] },
      ],
      20,
    );
    assert.deepEqual(
      findings.map(({ name, verdict }) => [name, verdict]),
      [
        ["broken", "warning"],
        ["stuck", "warning"],
        ["well", "ok"],
      ],
    );
    expectFinding(findings[0], "warning", /could not be checked: EACCES/, /readable/);
    expectFinding(findings[1], "warning", /not finished within 20 ms/, /again/);
    assert.ok(stopped, "the check was not told to stop");
  });
});

describe("the picture", () => {
  const findings = [
    ok("a", "fine"),
    warning("longer", "one two three four", "do this"),
    failure("b", "bad", "fix"),
  ];

  test("aligned, with the remedy below and a count", () => {
    assert.deepEqual(findingLines(findings, { columns: undefined, colour: false, tookMs: 1_240 }), [
      "✔ a       fine",
      "▲ longer  one two three four",
      "          → do this",
      "✖ b       bad",
      "          → fix",
      "",
      "1 failure, 1 warning, 1 ok in 1.2 s",
    ]);
  });

  test("wrapped to the terminal, marks coloured", () => {
    const lines = findingLines([warning("w", "x".repeat(30).concat(" y z"), "r")], {
      columns: 40,
      colour: true,
      tookMs: 0,
    });
    assert.deepEqual(lines.slice(0, 2), [`\u001B[33m▲\u001B[0m w  ${"x".repeat(30)} y z`, "     → r"]);
    const narrow = findingLines([ok("w", "word ".repeat(10).trim())], {
      columns: 40,
      colour: false,
      tookMs: 0,
    });
    assert.equal(narrow[1], "     word word word");
  });
});

test("sizes and times are told in the units of people", () => {
  assert.deepEqual([0, 1_023, 1_024, 1_572_864, 68_719_476_736].map(formatBytes), [
    "0 bytes",
    "1023 bytes",
    "1 KiB",
    "1.5 MiB",
    "64 GiB",
  ]);
  assert.deepEqual([0, 4_250, 59_000, 90_000, 3_600_000, 93_784_000].map(formatDuration), [
    "0 s",
    "4.3 s",
    "59 s",
    "1 min 30 s",
    "1 h",
    "1 d 2 h",
  ]);
});
