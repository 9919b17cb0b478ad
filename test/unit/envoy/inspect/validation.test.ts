import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Validation, whyInvalid } from "../../../../src/envoy/inspect/validation.ts";

const launch = {
  binary: "/bin/envoy",
  bootstrap: JSON.stringify({ static_resources: { clusters: [{ name: "x", connect_timeout: "soon" }] } }),
};
const refused = (exit: Extract<Validation, { kind: "invalid" }>["exit"], ...lines: readonly string[]) =>
  ({ kind: "invalid", exit, lines }) as const;
const failed = { kind: "exited", code: 1 } as const;
const critical = (text: string): string =>
  `[2026-01-01 00:00:00.000][1][critical][main] [source/server/server.cc:1] ${text}`;

describe("whyInvalid()", () => {
  const cases: readonly (readonly [string, Validation, RegExp | undefined])[] = [
    ["nothing against a valid one", { kind: "valid" }, undefined],
    [
      "the field and the problem",
      refused(
        failed,
        critical(
          "error initializing configuration '/x': Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in " +
            "envoy.config.bootstrap.v3.Bootstrap @ static_resources.clusters[0].connect_timeout: message " +
            "google.protobuf.Duration, near 1:2 (offset 3): duration must end with a single 's'): {}",
        ),
      ),
      /^Envoy refuses the bootstrap: static_resources\.clusters\[0\]\.connect_timeout: duration must end/,
    ],
    [
      "its last word otherwise",
      refused(failed, critical("it is Monday"), "exiting"),
      /bootstrap: it is Monday$/,
    ],
    [
      "the rule that is broken, as Envoy 1.40 writes it around a printed message",
      refused(
        failed,
        critical("error initializing configuration '/x': goo.gle/debugstr  "),
        'prefix: "a"',
        ': Proto constraint validation failed (field: "statsd_specifier", reason: is required)',
      ),
      /bootstrap: statsd_specifier: is required$/,
    ],
    [
      "its last word around a printed message, and not the message",
      refused(
        failed,
        critical("error initializing configuration '/x': goo.gle/debugonly "),
        'password: "hidden"',
        ": it is Monday",
        "exiting",
      ),
      /bootstrap: error initializing configuration '\/x': it is Monday$/,
    ],
    [
      "no mark of protobuf's",
      refused(failed, critical("cannot take 'goo.gle/debugproto   b.json'")),
      /bootstrap: cannot take 'b\.json'$/,
    ],
    ["what it printed without a layout", refused(failed, "oh no", " "), /bootstrap: oh no$/],
    ["how it ended when it said nothing", refused(failed), /bootstrap: exited with code 1$/],
    [
      "a signal before its last words",
      refused({ kind: "signaled", signal: "SIGSEGV" }, "oh no"),
      /bootstrap: ended by SIGSEGV: oh no$/,
    ],
    [
      "no secret",
      refused(failed, critical("bad header authorization: Bearer abcdefghijklmnop")),
      /bootstrap: bad header authorization: (?!.*abcdefghijklmnop)/,
    ],
    ["no more than can be read", refused(failed, critical("x ".repeat(2_000))), /^[^]{600,700}…$/],
    [
      "what is no program",
      { kind: "not-a-program", complaint: "1: ELF: not found" },
      /no program.*not found/,
    ],
    ["what did not answer", { kind: "no-answer", afterMs: 30_000 }, /within 30000 ms/],
    ["what could not be asked", { kind: "not-asked", reason: "the disk is full" }, /cannot be.*disk is full/],
  ];
  for (const [what, validation, expected] of cases) {
    test(`tells ${what}`, () => {
      const reason = whyInvalid(launch, validation);
      if (expected === undefined) assert.equal(reason, undefined);
      else assert.match(reason ?? "", expected);
    });
  }
});
