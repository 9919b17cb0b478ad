/** Formats of access logs, headers and tags: one with a command that Envoy does not know would cost every listener. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  badFormats,
  isFormattedLine,
  isLogFormat,
} from "../../../../src/controlplane/config/format-commands.ts";
import {
  jsonLogFormat,
  textLogFormat,
} from "../../../../src/controlplane/networking/telemetry/log-formats.ts";

const taken: readonly string[] = [
  "",
  "no command",
  "100%%",
  "%DURATION%%PROTOCOL%",
  "%START_TIME% %START_TIME(%Y/%m/%dT%H:%M:%S%z)%",
  "%REQ(:METHOD)% %REQ(X-A?:PATH):10%",
  "%DYNAMIC_METADATA(a:b:c):5% %FILTER_STATE(a:PLAIN)% %UPSTREAM_METADATA(a:b)%",
  "%CEL(size(request.path)):3% %ENVIRONMENT(HOME)%",
  "%DOWNSTREAM_PEER_CERT_V_START(%b %d)% %DOWNSTREAM_PEER_URI_SAN% %UPSTREAM_WIRE_BYTES_SENT%",
];

const refused: readonly string[] = [
  "100%",
  "%",
  "%NO_SUCH%",
  "%NO_SUCH(x)%",
  "%duration%",
  "%DURATION(x)%",
  "%DURATION:5%",
  "%REQ%",
  "%REQ(%",
  "%REQ(a b)%",
  "%REQ(A?B?C)%",
  "%REQ(A):zz%",
  "%CEL(foo.bar())%",
  "%FILTER_STATE(a:b)%",
  "%UPSTREAM_METADATA%",
  "%START_TIME(\n)%",
  "a\0",
];

describe("a format", () => {
  for (const format of taken)
    test(`may be ${format}`, () => {
      assert.equal(isLogFormat(format), true);
      assert.equal(isFormattedLine(format), true);
    });
  for (const format of refused)
    test(`may not be ${JSON.stringify(format)}`, () => {
      assert.equal(isLogFormat(format), false);
      assert.equal(isFormattedLine(format), false);
    });
  test("of a log may have lines, and paths without their query", () => {
    for (const format of ["%DURATION%\n", "%REQ_WITHOUT_QUERY(:PATH)%"]) {
      assert.equal(isLogFormat(format), true);
      assert.equal(isFormattedLine(format), false);
    }
  });
  test("is Istio's unless told", () => {
    assert.equal(isLogFormat(textLogFormat), true);
    assert.deepEqual(badFormats(jsonLogFormat, "a"), []);
  });
  test("is told by its path in an object", () => {
    assert.deepEqual(badFormats({ a: ["%DURATION%", "%NO%"], b: { c: "%" }, d: 1, e: null }, "labels"), [
      "labels.a[1]",
      "labels.b.c",
    ]);
  });
});
