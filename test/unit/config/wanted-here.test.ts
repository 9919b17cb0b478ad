import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Surrounding, unwantedHere } from "../../../src/config/wanted-here.ts";

const home: Surrounding = {
  folder: "/home/me",
  env: { HOME: "/home/me", PATH: "/bin", ENVOY_PATH: "/bin/envoy", POD_NAME: "" },
  flags: {},
  exists: () => false,
};

describe("a folder in which somebody runs `outrider proxy`", () => {
  test("is left as it is where nothing asks for a sidecar, and the problem says what would", () => {
    assert.match(
      unwantedHere(home)?.message ?? "",
      /below \/home\/me, and nothing here says .* POD_NAME or PROXY_CONFIG .* --configPath, or make \.\/etc\/istio/,
    );
    assert.ok(unwantedHere({ ...home, flags: { domain: ["a"] } }) !== undefined);
  });

  for (const [why, change] of [
    ["it is a container's root", { folder: "/" }],
    ["it was made for one", { exists: (path: string) => path === "etc/istio" }],
    ["tokens are mounted there", { exists: (path: string) => path === "var/run/secrets" }],
    ["a variable is an injector's", { env: { POD_NAMESPACE: "demo" } }],
    ["a variable is the agent's own", { env: { OUTRIDER_SWAP_MODE: "hot" } }],
    ["a flag names the folder", { flags: { configPath: ["/run/x"] } }],
  ] as const) {
    test(`is used where ${why}`, () => {
      assert.equal(unwantedHere({ ...home, ...change }), undefined);
    });
  }
});
