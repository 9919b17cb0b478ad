import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judgeProxyless } from "../../../src/doctor/proxyless.ts";
import { decideProxyless } from "../../../src/plan/proxyless.ts";
import { expectFinding } from "../../support/findings.ts";

describe("without an Envoy", () => {
  test("doctor says what gRPC gets, and warns of what it does not get", () => {
    const [bootstrap, certificates] = judgeProxyless({ bootstrapPath: "b.json", certificates: "out" });
    expectFinding(bootstrap, "ok", /its bootstrap in b\.json/);
    expectFinding(certificates, "ok", /its certificates in out/);
    const [noBootstrap, noCertificates] = judgeProxyless({
      bootstrapPath: undefined,
      certificates: undefined,
    });
    expectFinding(noBootstrap, "warning", /no bootstrap/, /GRPC_XDS_BOOTSTRAP/);
    expectFinding(noCertificates, "warning", /in the clear/, /OUTPUT_CERTS/);
  });

  test("a plan is to start, to leave alone, or to restart", () => {
    const taken: readonly string[] = [];
    assert.equal(decideProxyless({ agentPid: undefined, isChanged: true, taken }).kind, "start");
    assert.equal(decideProxyless({ agentPid: 7, isChanged: false, taken }).kind, "none");
    assert.equal(decideProxyless({ agentPid: 7, isChanged: true, taken }).kind, "refuse");
    assert.deepEqual(decideProxyless({ agentPid: undefined, isChanged: true, taken: ["port 1 is taken"] }), {
      kind: "refuse",
      reasons: ["port 1 is taken"],
    });
  });
});
