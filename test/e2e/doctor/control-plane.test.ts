import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { TestCa } from "../../support/ca.ts";
import { diagnose, expectFailures } from "../../support/doctor.ts";
import { ExaminedMesh } from "../../support/examined-mesh.ts";
import { expectFinding } from "../../support/findings.ts";
import { freePorts } from "../../support/free-ports.ts";
import { hasRoot } from "../../support/privilege.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { rootPath, tokenPath } from "../../support/workload.ts";

let examined: ExaminedMesh;

before(async () => {
  examined = await ExaminedMesh.start();
});

after(async () => {
  await examined[Symbol.asyncDispose]();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

describe("doctor names what is wrong between here and the control plane, and the remedy:", () => {
  test("a token that has expired", async () => {
    const web = await examined.workload();
    web.write(tokenPath, await examined.mesh.token("web", { lifetimeMs: -60_000 }));
    await expectFailures(web, { token: [/expired 1 min .*ago/, /kubelet/] });
  });

  test("a token of another audience, which the control plane refuses", async () => {
    const web = await examined.workload();
    web.write(
      tokenPath,
      await examined.mesh.token(web.env["SERVICE_ACCOUNT"] ?? "", { audience: "somebody-else" }),
    );
    await expectFailures(web, {
      discovery: [/does not accept the token.*none of the audiences istio-ca/, /audience/],
      ca: [/does not accept the token.*none of the audiences istio-ca/, /audience/],
    });
  });

  test("no token", async () => {
    const web = await examined.workload();
    web.write(tokenPath, undefined);
    await expectFailures(web, { token: [/cannot be read: ENOENT/, /istio-ca/] });
  });

  test("a root of another mesh", async () => {
    const web = await examined.workload();
    web.write(rootPath, (await TestPki.create()).rootPem);
    const seen = /is not trusted by the root .*root-cert\.pem: .*\(TLS handshake/;
    await expectFailures(web, { discovery: [seen, /XDS_ROOT_CA/], ca: [seen, /CA_ROOT_CA/] });
  });

  test("no root", async () => {
    const web = await examined.workload();
    web.write(rootPath, undefined);
    const asked = /was not asked/;
    await expectFailures(web, {
      "root-certificate": [/ENOENT/, /istio-ca-root-cert.*XDS_ROOT_CA and CA_ROOT_CA/],
      discovery: [asked, /root-certificate/],
      ca: [asked, /root-certificate/],
    });
  });

  test("a name that is not in the control plane's certificate", async () => {
    const seen = /certificate for another name/;
    await expectFailures(
      await examined.workload(),
      { discovery: [seen, /ISTIOD_SAN/], ca: [seen, /ISTIOD_SAN/] },
      { env: { ISTIOD_SAN: "istiod.elsewhere.example" } },
    );
  });

  test("a discovery server that does not listen, beside a CA that does", async () => {
    const [nobody = 0] = await freePorts(1);
    await expectFailures(
      await examined.workload({ discoveryAddress: `localhost:${nobody}` }),
      {
        discovery: [
          new RegExp(`localhost:${nobody} cannot be reached: connect ECONNREFUSED`),
          /discoveryAddress/,
        ],
      },
      { env: { CA_ADDR: `localhost:${examined.mesh.controlPlanePorts.tls}` } },
    );
  });

  test("a server that takes connections and never answers", async () => {
    const server = createServer();
    const port = await listening(server);
    try {
      await expectFailures(
        await examined.workload(),
        { ca: [/did not answer within \d+ ms \(TLS handshake\)/, /something else may listen/] },
        { env: { CA_ADDR: `localhost:${port}` } },
      );
    } finally {
      server.close();
    }
  });

  test("a web server in the place of the CA", async () => {
    const server = createHttpServer((_request, response) => response.end("hello"));
    const port = await listening(server);
    try {
      await expectFailures(
        await examined.workload(),
        {
          ca: [/the CA 127\.0\.0\.1:\d+ cannot be reached: it does not speak TLS \(TLS handshake/, /CA_ADDR/],
        },
        { env: { CA_ADDR: `127.0.0.1:${port}` } },
      );
    } finally {
      server.close();
    }
  });

  test("a CA in the place of the discovery server", async () => {
    await using ca = await TestCa.listen();
    const web = await examined.workload({ discoveryAddress: ca.address });
    web.write(rootPath, ca.pki.rootPem);
    await expectFailures(web, {
      discovery: [/speaks gRPC, but has no envoy\.service\.discovery/, /discoveryAddress/],
    });
    assert.equal(ca.calls.length, 1);
    assert.equal(ca.calls[0]?.csr, "", "a certificate was asked for");
  });

  test("a name that does not exist", async () => {
    const asked = /was not asked: its name is not resolved/;
    await expectFailures(await examined.workload({ discoveryAddress: "istiod.nowhere.invalid:15012" }), {
      dns: [/istiod\.nowhere\.invalid is not resolved: (ENOTFOUND|EAI_AGAIN).*nameservers/, /resolv\.conf/],
      discovery: [asked, /dns/],
      ca: [asked, /dns/],
    });
  });

  test("a clock that is behind the control plane's", async () => {
    const pki = await TestPki.create();
    const pair = await pki.serverKeyPair(["localhost"], validity(600_000, 3_600_000));
    await using server = await GrpcServer.listen(
      {
        host: "127.0.0.1",
        port: 0,
        tls: { certificateChain: pair.certificatePem, privateKey: pair.privateKeyPem },
      },
      [],
    );
    const web = await examined.workload({ discoveryAddress: `localhost:${server.port}` });
    web.write(rootPath, pki.rootPem);
    const seen = /not valid now: certificate is not yet valid/;
    await expectFailures(
      web,
      {
        discovery: [seen, /clocks/],
        ca: [seen, /clocks/],
        clock: [/behind by at least (9 min \d+ s|10 min)/, /NTP/],
      },
      { env: { ISTIOD_SAN: "localhost" } },
    );
  });
});

describe("doctor answers in time", () => {
  test("when no nameserver does", async (t) => {
    if (!hasRoot(t)) return;
    const web = await examined.workload({ discoveryAddress: "istiod.nowhere.example:15012" });
    writeFileSync(join(web.folder, "resolv.conf"), "nameserver 192.0.2.1\n");
    const { named } = await diagnose(web, {
      within: [
        ...["unshare", "-m", "-n", "sh", "-c"],
        'ip link set lo up; ip route add 192.0.2.0/24 dev lo; mount --bind resolv.conf /etc/resolv.conf && exec "$@"',
        "sh",
      ],
    });
    expectFinding(named("dns")[0], "failure", /not resolved.*nameservers 192\.0\.2\.1/, /nameserver/);
  });
});
