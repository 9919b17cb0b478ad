import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { TestCa } from "../../support/ca.ts";
import { eventually } from "../../support/eventually.ts";
import { get } from "../../support/mesh.ts";
import { StandaloneSidecar } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { validity } from "../../support/test-pki.ts";

describe("readiness on the status port", () => {
  test("says that the certificate is near its end and is not renewed, and is well once it is", async () => {
    using folder = temporaryFolder();
    await using ca = await TestCa.listen();
    // Of an hour that is nearly over: less than a tenth is left. It is renewed after 3 s.
    ca.answer = ca.issuing(() => validity(-3_600_000, 150_000));
    await using sidecar = await StandaloneSidecar.ready({
      folder: folder.path,
      files: {
        "var/run/secrets/istio/root-cert.pem": ca.pki.rootPem,
        "var/run/secrets/tokens/istio-token": "opaque",
      },
      flags: ["--socketMode", "0660"],
      env: { CA_ADDR: ca.address, SECRET_GRACE_PERIOD_RATIO: "0.98", ECC_SIGNATURE_ALGORITHM: "ECDSA" },
    });
    const ready = (): Promise<{ status: number }> => get(sidecar.ports.status, "/healthz/ready");
    await eventually(
      "a certificate",
      async () => assert.notEqual((await sidecar.report()).identity.notAfter, undefined),
      { withinMs: 60_000 },
    );
    assert.equal((await ready()).status, 200, "as long as it is renewed, its end is no concern");
    assert.ok((await sidecar.metric("istio_agent_cert_expiry_seconds")) < 151);

    ca.answer = () => Promise.reject(new GrpcError("UNAVAILABLE", "the CA is down"));
    await eventually(
      "not ready",
      async () => {
        assert.equal((await ready()).status, 503);
        assert.match(
          (await sidecar.report()).reason ?? "",
          /the workload certificate expires in \d+ s and is not renewed: the CA .*the CA is down/,
        );
      },
      { withinMs: 60_000 },
    );
    ca.answer = ca.issuing(() => validity(-60_000, 3_600_000));
    await eventually("ready again", async () => assert.equal((await ready()).status, 200), {
      withinMs: 60_000,
    });

    const mode = (path: string): number => statSync(join(folder.path, path)).mode & 0o777;
    assert.equal(mode("var/run/secrets/workload-spiffe-uds/socket"), 0o660);
    assert.equal(mode("etc/istio/proxy/XDS"), 0o600);
  });
});
