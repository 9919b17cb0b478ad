/** Which control planes are followed, or everything that is wrong with how they are named. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { controlPlaneTargets } from "../../../src/cli/config-sources.ts";

type Flags = Parameters<typeof controlPlaneTargets>[0];

const none: Flags = {
  configSources: "",
  configSourcesCaFile: undefined,
  configSourcesServerName: undefined,
  configSourcesTokenFile: undefined,
  configSourcesPlaintext: false,
};

function read(flags: Partial<Flags>): {
  readonly addresses: readonly string[];
  readonly refused: readonly string[];
} {
  const refused: string[] = [];
  const targets = controlPlaneTargets({ ...none, ...flags }, (flag, message) => {
    refused.push(`${flag} ${message}`);
  });
  return { addresses: targets.map(({ address }) => address), refused };
}

describe("control planes that are followed", () => {
  test("are named by scheme, host and port", () => {
    assert.deepEqual(read({}), { addresses: [], refused: [] });
    assert.deepEqual(
      read({
        configSources: "xds://istiod.istio-system.svc:15012, xds://[::1]:15010",
        configSourcesTokenFile: "t",
      }),
      { addresses: ["istiod.istio-system.svc:15012", "[::1]:15010"], refused: [] },
    );
  });

  const rows: readonly (readonly [what: string, flags: Partial<Flags>, ...refused: readonly RegExp[]])[] = [
    [
      "another scheme",
      { configSources: "k8s://" },
      /^configSources "k8s:\/\/" is no control plane such as xds:/,
    ],
    ["no port", { configSources: "xds://istiod" }, /^configSources "xds:\/\/istiod" is no control plane/],
    ["one twice", { configSources: "xds://a:1,xds://a:1" }, /^configSources names a control plane twice/],
    [
      "flags of none",
      { configSourcesPlaintext: true, configSourcesServerName: "istiod" },
      /^configSourcesServerName is for other control planes: name them/,
      /^configSourcesPlaintext is for other control planes/,
    ],
    [
      "a token in plain text",
      { configSources: "xds://a:1", configSourcesPlaintext: true, configSourcesTokenFile: "t" },
      /^configSourcesTokenFile is for TLS: remove it, or --configSourcesPlaintext/,
    ],
    [
      "roots that are not there",
      { configSources: "xds://a:1", configSourcesCaFile: "/nowhere/root.pem" },
      /^configSourcesCaFile \/nowhere\/root.pem cannot be read: .*Name a file of certificates/,
    ],
  ];
  for (const [what, flags, ...expected] of rows)
    test(`are refused with ${what}`, () => {
      const { refused } = read(flags);
      assert.equal(refused.length, expected.length, refused.join("\n"));
      for (const [at, pattern] of expected.entries()) assert.match(refused[at] ?? "", pattern);
    });
});
