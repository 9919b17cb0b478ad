import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectionFault } from "../../../src/grpc/connection-fault.ts";
import { explainCause, type ServerDescription } from "../../../src/grpc/server-trust.ts";

const named =
  "Hostname/IP does not match certificate's altnames: Host: ca. is not in the cert's altnames: DNS:x";

describe("connectionFault()", () => {
  for (const [cause, fault] of [
    [named, "wrong-name"],
    ["certificate has expired", "not-valid-now"],
    ["CERT_NOT_YET_VALID: certificate is not yet valid", "not-valid-now"],
    ["self-signed certificate in certificate chain", "untrusted"],
    ["unable to verify the first certificate", "untrusted"],
    ["CERT_SIGNATURE_FAILURE", "untrusted"],
    ["connect ECONNREFUSED 127.0.0.1:15012", "unreachable"],
    ["getaddrinfo ENOTFOUND istiod", "unresolved"],
    ["getaddrinfo EAI_AGAIN verify.certificate.example", "unresolved"],
  ] as const) {
    test(`${cause}: ${fault}`, () => {
      assert.equal(connectionFault(cause), fault);
    });
  }
});

describe("explainCause()", () => {
  const server: ServerDescription = {
    name: "the CA",
    address: "ca:15012",
    tls: { rootCertificatePath: "./root.pem" },
    rootSetting: "CA_ROOT_CA",
    addressSetting: "CA_ADDR",
  };

  for (const [cause, kind, problem, remedy] of [
    [named, "untrusted", /for another name/, /ISTIOD_SAN/],
    ["certificate has expired", "untrusted", /not valid now/, /clocks/],
    ["unable to verify the first certificate", "untrusted", /by the root \.\/root\.pem/, /CA_ROOT_CA/],
    ["connect ECONNREFUSED 1.2.3.4:1", "unreachable", /cannot be reached/, /CA_ADDR/],
    [
      "getaddrinfo EAI_AGAIN ca",
      "unresolved",
      /ca:15012 cannot be looked up/,
      /name server of \/etc\/resolv\.conf/,
    ],
  ] as const) {
    test(`${cause}: problem and remedy`, () => {
      const explained = explainCause(cause, server);
      assert.equal(explained.kind, kind);
      assert.match(explained.problem, problem);
      assert.match(explained.remedy, remedy);
    });
  }

  test("what Node.js says of its own command line is left out", () => {
    const words = "self-signed certificate in certificate chain";
    const advised = `${words}; if the root CA is installed locally, try running Node.js with --use-system-ca`;
    assert.equal(explainCause(advised, server).message, explainCause(words, server).message);
  });

  test("without TLS there is no root that could be wrong", () => {
    assert.equal(explainCause("verify", { ...server, tls: undefined }).kind, "unreachable");
  });
});
