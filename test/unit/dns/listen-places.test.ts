import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOwnPlace, placesOf } from "../../../src/dns/listen-places.ts";

const port = 15_053;
const v4 = { host: "10.0.0.10", port: 53 };
const v6 = { host: "fd00::a", port: 53 };

describe("the DNS proxy listens", () => {
  for (const [what, servers, expected] of [
    ["on 127.0.0.1 where servers have IPv4", [v4], ["127.0.0.1"]],
    ["on ::1 where they have IPv6 alone, which then has to be there", [v6], ["::1"]],
    ["on both where they have both", [v6, v4], ["127.0.0.1", "::1, if it is there"]],
    ["on 127.0.0.1 where there is none", [], ["127.0.0.1"]],
  ] as const)
    test(what, () => {
      const places = placesOf({ kind: "localhost", port }, servers);
      assert.deepEqual(
        places.map(({ host, isOptional }) => (isOptional ? `${host}, if it is there` : host)),
        expected,
      );
      assert.ok(places.every((place) => place.port === port));
    });

  test("on every address of both families, where IPv6 may be missing", () => {
    assert.deepEqual(placesOf({ kind: "every address", port: 53 }, [v4]), [
      { host: "0.0.0.0", port: 53, isOptional: false },
      { host: "::", port: 53, isOptional: true },
    ]);
  });
});

describe("a server is the proxy itself", () => {
  for (const [what, upstream, place, expected] of [
    ["at its address and port", { host: "127.0.0.1", port }, { host: "127.0.0.1", port }, true],
    ["not at another port", { host: "127.0.0.1", port: 53 }, { host: "127.0.0.1", port }, false],
    ["not at another address", { host: "10.0.0.10", port }, { host: "127.0.0.1", port }, false],
    [
      "at any of loopback where it is everywhere",
      { host: "127.0.0.53", port },
      { host: "0.0.0.0", port },
      true,
    ],
    ["at ::1 where it is everywhere", { host: "::1", port }, { host: "::", port }, true],
    ["not outside where it is everywhere", { ...v4, port }, { host: "0.0.0.0", port }, false],
  ] as const)
    test(what, () => {
      assert.equal(isOwnPlace(upstream, [place]), expected);
    });
});
