import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import { isExternal } from "../../../../src/config/sources/sds-sockets.ts";
import { configSources } from "../../../support/config-sources.ts";
import { renderedBootstrap } from "../../../support/rendered-bootstrap.ts";

const own = { listener: "listens", isOwnUsers: true, identifier: "outrider" } as const;

// Each row: what it shows, the name, the socket, whether it is somebody else's.
const cases = [
  ["no socket is there to be left alone", "socket", undefined, false],
  ["a server that is not of this kind is left alone", "socket", { ...own, identifier: undefined }, true],
  ["one that calls itself otherwise is left alone", "socket", { ...own, identifier: "spire" }, true],
  ["an agent of the same kind gives way", "socket", own, false],
  ["what an earlier run left is replaced", "socket", { ...own, listener: "nobody" }, false],
  [
    "what another user's server left is not: it may be back",
    "socket",
    { ...own, listener: "nobody", isOwnUsers: false },
    true,
  ],
  [
    "a socket that may not be asked is left alone",
    "socket",
    { ...own, listener: "denied", identifier: undefined },
    true,
  ],
  ["a name of its own says that there will be a server", "spire.sock", undefined, true],
] as const;

describe("the workload's SDS socket", () => {
  for (const [name, socketName, socket, expected] of cases) {
    test(name, () => {
      assert.equal(isExternal(socketName, socket), expected);
    });
  }

  test("of another server: the agent serves files elsewhere, asks no CA, and tells the control plane", () => {
    const changes = { sdsSockets: { isWorkloadExternal: true } };
    const { identity, sds } = parseConfig(configSources(changes));
    assert.deepEqual(identity.source, {
      kind: "external-sds",
      socketPath: "./var/run/secrets/workload-spiffe-uds/socket",
      nodeId: "sidecar~10.1.1.7~web-1.demo~demo.svc.cluster.local",
    });
    assert.equal(sds.path, "./var/run/secrets/credential-uds/files-socket");
    const text = JSON.stringify(renderedBootstrap(changes));
    assert.match(text, /"file-credential":"true"/);
    assert.doesNotMatch(text, /"credential":"true"/);
    assert.match(text, /"sds-files-grpc".*credential-uds\/files-socket/);
    assert.doesNotMatch(JSON.stringify(renderedBootstrap({})), /sds-files-grpc|credential/);
  });

  test("is a name, never a path", () => {
    for (const name of ["../spire.sock", "/run/spire.sock", ".."]) {
      assert.throws(
        () => parseConfig(configSources({ env: { WORKLOAD_IDENTITY_SOCKET_FILE: name } })),
        (error) =>
          error instanceof ConfigError &&
          /WORKLOAD_IDENTITY_SOCKET_FILE.*must be a file name/.test(
            error.problems.map(describeProblem).join(""),
          ),
      );
    }
  });
});
