import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import { configSources } from "../../../support/config-sources.ts";

interface Outcome {
  readonly problems: string;
  readonly warnings: string;
}

function outcome(proxyConfig: unknown): Outcome {
  const sources = configSources({ env: { PROXY_CONFIG: JSON.stringify(proxyConfig) } });
  try {
    return { problems: "", warnings: parseConfig(sources).warnings.join("\n") };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.problems.map(describeProblem).join("\n"), warnings: "" };
  }
}

const withTls = (tlsSettings: unknown): Outcome =>
  outcome({ envoyMetricsService: { address: "metrics:9901", tlsSettings } });

describe("a service that Envoy calls", () => {
  for (const tracer of ["zipkin", "lightstep", "datadog", "openTelemetry"]) {
    test(`${tracer} needs an address`, () => {
      const { problems } = outcome({ tracing: { [tracer]: {} } });
      assert.equal(
        problems,
        `PROXY_CONFIG: tracing.${tracer}.address: is required: name host:port, or leave the tracer out`,
      );
    });
  }

  test("an address that is none is one problem, not two", () => {
    const { problems } = outcome({ tracing: { zipkin: { address: "nowhere" } } });
    assert.match(problems, /^PROXY_CONFIG: tracing\.zipkin\.address: "nowhere" is not host:port[^\n]*$/);
  });

  test("mutual TLS needs both files", () => {
    assert.match(
      withTls({ mode: "MUTUAL" }).problems,
      /tlsSettings\.clientCertificate: is required[^\n]*\n[^\n]*tlsSettings\.privateKey: is required/,
    );
  });

  test("verification is asked for or waived, not both", () => {
    const { problems } = withTls({
      mode: "SIMPLE",
      insecureSkipVerify: true,
      caCertificates: "/r.pem",
      subjectAltNames: ["metrics"],
    });
    assert.match(problems, /caCertificates: verifies nothing with insecureSkipVerify/);
    assert.match(problems, /subjectAltNames: verifies nothing with insecureSkipVerify/);
  });

  test("what weakens TLS or does nothing is said", () => {
    assert.match(
      withTls({ mode: "SIMPLE", insecureSkipVerify: true }).warnings,
      /whoever answers is taken for/,
    );
    for (const [field, value] of [
      ["insecureSkipVerify", true],
      ["caCrl", "/crl.pem"],
      ["credentialName", "metrics-credential"],
    ] as const) {
      const { warnings } = withTls({ mode: "ISTIO_MUTUAL", [field]: value });
      assert.match(
        warnings,
        new RegExp(`PROXY_CONFIG: envoyMetricsService\\.tlsSettings\\.${field}: has no effect`),
      );
    }
    assert.equal(withTls({ mode: "SIMPLE", caCertificates: "/r.pem", caCrl: "/crl.pem" }).warnings, "");
    assert.equal(withTls({ mode: "DISABLE", insecureSkipVerify: true }).warnings, "");
  });
});
