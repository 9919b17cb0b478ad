import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { describe, test } from "node:test";
import type { PeerCertificate } from "node:tls";
import { serverIdentityError } from "../../../src/net/server-authentication.ts";

const src = join(import.meta.dirname, "../../../src");

function certificate(CN: string | undefined, subjectaltname: string | undefined): PeerCertificate {
  return {
    subject: { O: "mesh", ...(CN === undefined ? {} : { CN }) },
    ...(subjectaltname === undefined ? {} : { subjectaltname }),
  } as PeerCertificate;
}

describe("a server's certificate", () => {
  for (const [host, names] of [
    ["istiod.istio-system.svc", "DNS:istiod.istio-system.svc"],
    [
      "istiod.istio-system.svc",
      "DNS:other, DNS:istiod.istio-system.svc, URI:spiffe://cluster.local/ns/a/sa/b",
    ],
    ["a.example.org", "DNS:*.example.org"],
    ["ISTIOD.istio-system.svc.", "DNS:istiod.istio-system.svc"],
    ["127.0.0.1", "IP Address:127.0.0.1"],
    ["::1", "IP Address:0:0:0:0:0:0:0:1"],
  ] as const) {
    test(`with ${names} is for ${host}`, () => {
      assert.equal(serverIdentityError(host, certificate(undefined, names)), undefined);
    });
  }

  for (const [what, host, CN, names] of [
    ["a common name alone", "localhost", "localhost", undefined],
    [
      "a common name and a SPIFFE ID",
      "localhost",
      "localhost",
      "URI:spiffe://cluster.local/ns/a/sa/localhost",
    ],
    ["a common name and an address", "localhost", "localhost", "IP Address:127.0.0.1"],
    ["a common name and an e-mail address", "localhost", "localhost", "email:me@localhost"],
    ["a common name and another DNS name", "localhost", "localhost", "DNS:other"],
    ["nothing", "localhost", undefined, undefined],
    ["a SPIFFE ID that ends in the name", "web", undefined, "URI:spiffe://cluster.local/ns/a/sa/web"],
    ["a quoted name that holds another", "good.example", undefined, 'URI:"x, DNS:good.example"'],
    ["an address as common name", "127.0.0.1", "127.0.0.1", undefined],
    ["an address as DNS name", "127.0.0.1", undefined, "DNS:127.0.0.1"],
    ["a wildcard above it", "a.b.example.org", undefined, "DNS:*.example.org"],
    ["the wildcard of everything", "localhost", undefined, "DNS:*"],
  ] as const) {
    test(`with ${what} is not for ${host}`, () => {
      const error = serverIdentityError(host, certificate(CN, names));
      assert.match(error?.message ?? "", /altnames/);
    });
  }
});

/** Clients of TLS that do not authenticate their server, and why that is right. */
const unauthenticated: Readonly<Record<string, string>> = {
  "net/tls-probe.ts": "the own Envoy on loopback, known by its process: asked is whether it can serve",
  "probe/http-exchange.ts": "the own workload, as the kubelet asks it: by its address",
  "net/peer-certificate.ts": "names a peer that Envoy does not trust, and sends nothing",
  "controlplane/admission/webhook.ts": "a server",
  "doctor/endpoint.ts": "shows a certificate that does not verify, and sends nothing then",
};

test("every client of TLS authenticates its server, whatever the environment says", () => {
  const clients = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => ({
      path: name.split(sep).join("/"),
      // A type opens no connection.
      text: readFileSync(join(src, name), "utf8").replaceAll(/^import type [^;]*;/gm, ""),
    }))
    .filter(({ text }) =>
      /import \{[^}]*\b(?:connect|createSecureContext)\b[^}]*\} from "node:tls"|import \{[^}]*\brequest\b[^}]*\} from "node:https"|import\("node:https"\)/.test(
        text,
      ),
    );
  assert.ok(clients.length >= 5, "the clients were not found");
  const careless = clients.filter(
    ({ path, text }) => unauthenticated[path] === undefined && !/\.\.\.authenticated\b/.test(text),
  );
  assert.deepEqual(
    careless.map(({ path }) => path),
    [],
  );
});
