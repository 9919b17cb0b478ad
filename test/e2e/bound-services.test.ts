/** A sidecar that captures nothing, and for which no Sidecar is written: services are called at the loopback address, by their ports. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpServer } from "../../src/net/http-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { ingress, mutualTls, service } from "../support/mesh-objects.ts";

test("services are called by their ports where nothing is captured and no Sidecar says otherwise", async () => {
  await using stack = new AsyncDisposableStack();
  const [inbound = 0, port = 0] = await freePorts(2);
  const app = stack.use(
    await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (request, response) => {
      response.writeHead(200).end(request.headers["x-forwarded-client-cert"]);
    }),
  );
  const mesh = stack.use(
    await TestMesh.start({
      "api.yaml": [
        service("api", [{ port: inbound }], port),
        // It sees no service: on one machine with the caller it would bind the same port.
        ingress("api", inbound, app.port, "elsewhere/*"),
      ],
      "mtls.yaml": [mutualTls("STRICT")],
    }),
  );
  const sidecars = [await mesh.sidecar("web"), await mesh.sidecar("api")];
  await Promise.all(sidecars.map((sidecar) => sidecar.ready()));
  await eventually(
    "the call",
    async () => {
      const { status, body } = await get(port, "/", { host: "api.demo" });
      assert.equal(status, 200);
      assert.match(body.toString(), /URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web/);
    },
    { withinMs: 30_000 },
  );
  assert.equal((await get(port, "/", { host: "nobody.example" })).status, 502);
});
