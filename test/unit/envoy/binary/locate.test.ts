import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { envoyCacheFolder, locateEnvoy, type LocateOptions } from "../../../../src/envoy/binary/locate.ts";

function locate(
  present: readonly string[],
  changes: Partial<LocateOptions> = {},
): ReturnType<typeof locateEnvoy> {
  return locateEnvoy({
    binaryPath: undefined,
    envoyPath: undefined,
    searchPath: "/opt/bin:/usr/bin",
    cacheFolder: "/cache",
    isExecutable: (path) => present.includes(path),
    ...changes,
  });
}

const everywhere = [
  "/mine/envoy",
  "/usr/local/bin/envoy",
  "/opt/bin/envoy",
  "/usr/bin/envoy",
  "/cache/1.40.0/envoy",
];

describe("locateEnvoy()", () => {
  for (const [name, present, changes, expected] of [
    [
      "binaryPath comes first",
      everywhere,
      { binaryPath: "/mine/envoy", envoyPath: "/usr/bin/envoy" },
      "/mine/envoy",
    ],
    ["then ENVOY_PATH", everywhere, { envoyPath: "/usr/bin/envoy" }, "/usr/bin/envoy"],
    ["then the image's place", everywhere, {}, "/usr/local/bin/envoy"],
    ["then PATH, in its order", everywhere.slice(2), {}, "/opt/bin/envoy"],
    ["then the cache", everywhere.slice(4), {}, "/cache/1.40.0/envoy"],
  ] as const) {
    test(name, () => {
      const located = locate(present, changes);
      assert.equal(located.kind === "found" && located.path, expected);
    });
  }

  test("a place that was named is not replaced by another", () => {
    const located = locate(everywhere, { binaryPath: "/nowhere/envoy" });
    assert.deepEqual(located, { kind: "named-but-missing", path: "/nowhere/envoy", source: "binaryPath" });
  });

  test("nothing found lists what was tried", () => {
    const located = locate([]);
    assert.deepEqual(located.kind === "missing" && located.tried, [
      "ENVOY_PATH",
      "/usr/local/bin/envoy",
      "PATH",
      "/cache/1.40.0/envoy",
    ]);
  });

  test("the cache follows the XDG variables", () => {
    assert.equal(envoyCacheFolder({ XDG_CACHE_HOME: "/x", HOME: "/h" }), "/x/outrider/envoy");
    assert.equal(envoyCacheFolder({ HOME: "/h" }), "/h/.cache/outrider/envoy");
  });
});
