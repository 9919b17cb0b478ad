/** The life of a sidecar as spans and metrics at an OTLP endpoint: its start, a push, a swap, and its end. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { typeUrl } from "../../src/xds/type-urls.ts";
import { eventually } from "../support/eventually.ts";
import { TestMesh } from "../support/mesh.ts";
import { service } from "../support/mesh-objects.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";

describe("telemetry of a sidecar", () => {
  test("has its start with all that is part of it, what is pushed later, and a swap, with an Envoy and without", async () => {
    await using receiver = await startOtlpReceiver();
    await using mesh = await TestMesh.start({ "web.yaml": [service("web", [{ port: 8080 }])] });
    const web = await mesh.sidecar("web", {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS: "api-key=Gh7kQ2mZ",
        OTEL_METRIC_EXPORT_INTERVAL: "1000",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
      },
    });
    await web.ready();
    writeFileSync(join(web.folder, "etc/istio/pod/labels"), 'app="web"\nversion="v2"\n');
    mesh.write("api.yaml", service("api", [{ port: 8081 }]));

    const spans = await eventually(
      "every span",
      () => {
        const all = receiver.spans();
        const start = all.find(({ name }) => name === "agent.start");
        const swap = all.find(({ name }) => name === "envoy.swap");
        const later = all.find(
          ({ name, parentSpanId, attributes }) =>
            name === "xds.push" &&
            parentSpanId === undefined &&
            attributes["xds.type_url"] === typeUrl.cluster,
        );
        assert.ok(start !== undefined && swap !== undefined && later !== undefined, JSON.stringify(all));
        return { all, start, swap };
      },
      { withinMs: 30_000 },
    );

    const ofStart = spans.all.filter(({ parentSpanId }) => parentSpanId === spans.start.spanId);
    const names = new Set(ofStart.map(({ name }) => name));
    assert.deepEqual([...names].toSorted(), ["ca.sign", "envoy.start", "xds.push"]);
    const signed = ofStart.find(({ name }) => name === "ca.sign");
    assert.equal(signed?.error, undefined);
    assert.equal(signed?.attributes["rpc.method"], "istio.v1.auth.IstioCertificateService/CreateCertificate");
    const [first] = ofStart.filter(({ name }) => name === "envoy.start");
    assert.equal(first?.attributes["outrider.generation"], 1);
    for (const child of ofStart) assert.ok(child.seconds <= spans.start.seconds, child.name);
    assert.equal(spans.swap.attributes["outrider.swap.result"], "swapped");
    assert.equal(spans.swap.attributes["outrider.generation"], 2);
    assert.ok(spans.swap.seconds > 0);
    assert.equal(receiver.resource()["k8s.pod.name"], "web-1");
    assert.equal(receiver.resource()["deployment.environment.name"], "test");
    assert.equal(receiver.exports[0]?.headers["api-key"], "Gh7kQ2mZ");

    await eventually(
      "metrics",
      () => {
        const text = JSON.stringify([...receiver.metrics()]);
        assert.match(text, /"istio_agent_num_outgoing_requests".*"asDouble":1/);
        assert.match(text, /outrider_otlp_exports_total.*delivered/);
      },
      { withinMs: 30_000 },
    );

    web.agent.kill("SIGTERM");
    await web.agent.exitWithin(30_000);
    assert.ok(
      receiver.spans().some(({ attributes }) => attributes["outrider.generation"] === 2),
      "the second Envoy has its start",
    );
    assert.doesNotMatch(web.agent.lines.join("\n"), /Gh7kQ2mZ|OTLP endpoint/);

    // Without an Envoy the first certificate is what ends the start.
    await using other = await startOtlpReceiver();
    await mesh.sidecar("proxyless", {
      env: {
        DISABLE_ENVOY: "true",
        GRPC_XDS_BOOTSTRAP: "",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${other.url}/v1/traces`,
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
      },
    });
    await eventually(
      "the start of an agent without an Envoy",
      () => {
        const [start, signing] = ["agent.start", "ca.sign"].map((name) =>
          other.spans().find((span) => span.name === name),
        );
        assert.ok(start !== undefined && signing !== undefined);
        assert.equal(signing.parentSpanId, start.spanId);
      },
      { withinMs: 30_000 },
    );
  });
});
