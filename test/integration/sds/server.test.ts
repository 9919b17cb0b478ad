import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import {
  type DiscoveryResponse,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/proto/agent/discovery_pb.js";
import { type Secret, SecretSchema } from "../../../src/proto/agent/secret_pb.js";
import { SdsServer } from "../../../src/sds/server.ts";
import type { SdsSecrets } from "../../../src/sds/secrets.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { inboxOf } from "../../support/inbox.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const first: SdsSecrets = {
  workload: { certificateChainPem: "chain 1", privateKeyPem: "PRIVATE 1" },
  rootPem: "root",
};
const rotated: SdsSecrets = {
  ...first,
  workload: { certificateChainPem: "chain 2", privateKeyPem: "PRIVATE 2" },
};

const node = { id: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local" };

interface Answer {
  readonly response: DiscoveryResponse;
  readonly secrets: readonly Secret[];
}

interface SdsClient {
  ask(request: MessageInitShape<typeof DiscoveryRequestSchema>): void;
  answer(): Promise<Answer>;
  hearsNothing(): Promise<void>;
}

interface Fixture extends AsyncDisposable {
  readonly path: string;
  readonly secrets: Watch<SdsSecrets>;
  readonly lines: readonly string[];
  readonly metrics: Metrics;
  client(): SdsClient;
}

async function fixture(initial: SdsSecrets): Promise<Fixture> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const path = join(folder.path, "uds", "socket");
  const secrets = new Watch(initial);
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const tasks = stack.use(new TaskGroup());
  const options = { path, mode: 0o600, crlPath: join(folder.path, "crl.pem"), privateKeyProvider: undefined };
  const server = stack.use(await SdsServer.listen(options, { secrets, log, metrics }));
  tasks.spawn("sds", (signal) => server.run(signal));
  return {
    path,
    secrets,
    lines,
    metrics,
    client: () => {
      const channel = stack.use(new GrpcChannel({ address: `unix:${path}`, tls: undefined }));
      const stream = channel.stream("/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", {});
      stack.defer(() => {
        stream.cancel();
      });
      const inbox = inboxOf(stream);
      return {
        ask: (request) => {
          stream.enqueue(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request)));
        },
        answer: async () => {
          const response = fromBinary(DiscoveryResponseSchema, await inbox.next());
          return {
            response,
            secrets: response.resources.map(({ value }) => fromBinary(SecretSchema, value)),
          };
        },
        hearsNothing: () => inbox.staysEmpty(),
      };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const names = ({ secrets }: Answer): string[] => secrets.map(({ name }) => name);

function chainOf({ secrets: [secret] }: Answer): string {
  assert.equal(secret?.type.case, "tlsCertificate");
  const specifier = secret.type.value.certificateChain?.specifier;
  assert.equal(specifier?.case, "inlineBytes");
  return Buffer.from(specifier.value).toString();
}

const askFor = (
  ...resourceNames: string[]
): { node: { id: string }; typeUrl: string; resourceNames: string[] } => ({
  node,
  typeUrl: typeUrl.secret,
  resourceNames,
});

describe("SdsServer", () => {
  test("listens on a socket that only its owner may use", async () => {
    await using sds = await fixture(first);
    assert.equal(statSync(sds.path).mode & 0o777, 0o600);
  });

  test("answers with key and root, with a version and a nonce", async () => {
    await using sds = await fixture(first);
    const client = sds.client();
    client.ask(askFor("default", "ROOTCA"));
    const answer = await client.answer();
    assert.deepEqual(names(answer), ["default", "ROOTCA"]);
    assert.equal(chainOf(answer), "chain 1");
    assert.equal(answer.response.typeUrl, typeUrl.secret);
    assert.match(answer.response.versionInfo, /^\d{4}-.*Z\/1$/);
    assert.notEqual(answer.response.nonce, "");
  });

  test("answers late, on the stream that asked before there was a secret", async () => {
    await using sds = await fixture({});
    const client = sds.client();
    client.ask(askFor("default"));
    await client.hearsNothing();
    sds.secrets.set(first);
    assert.equal(chainOf(await client.answer()), "chain 1");
  });

  test("pushes a rotated certificate to each stream that has it, and the unchanged root to none", async () => {
    await using sds = await fixture(first);
    const [workload, root] = [sds.client(), sds.client()];
    workload.ask(askFor("default"));
    root.ask(askFor("ROOTCA"));
    await workload.answer();
    assert.deepEqual(names(await root.answer()), ["ROOTCA"]);

    sds.secrets.set(rotated);

    assert.equal(chainOf(await workload.answer()), "chain 2");
    await root.hearsNothing();
    assert.match(
      await sds.metrics.render(),
      /istio_agent_sds_pushes\{resource_name="default"\} 2\n.*resource_name="ROOTCA"\} 1\n/s,
    );
  });

  test("leaves unknown names out, warns once, and serves the known one beside them", async () => {
    await using sds = await fixture(first);
    for (const client of [sds.client(), sds.client()]) {
      client.ask(askFor("kubernetes://credential", "ROOTCA"));
      assert.deepEqual(names(await client.answer()), ["ROOTCA"]);
    }
    const warnings = sds.lines.filter((line) => line.includes("kubernetes://credential"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^warn\t.*default and ROOTCA/);
  });

  test("does not answer an unknown name alone", async () => {
    await using sds = await fixture(first);
    const client = sds.client();
    client.ask(askFor("file-cert:a"));
    await client.hearsNothing();
  });

  test("reports a refusal in Envoy's words and goes on with the next certificate", async () => {
    await using sds = await fixture(first);
    const client = sds.client();
    client.ask(askFor("default"));
    const { response } = await client.answer();
    const responseNonce = response.nonce;
    client.ask({ ...askFor("default"), responseNonce, errorDetail: { code: 13, message: "key mismatch" } });
    await client.hearsNothing();
    assert.ok(sds.lines.some((line) => line.startsWith("warn") && line.includes("key mismatch")));
    client.ask({ ...askFor("default"), responseNonce: "of a response long ago" });
    await client.hearsNothing();
    const metrics = await sds.metrics.render();
    assert.match(metrics, /istio_agent_sds_rejections 1\n/);
    // Istio's names, as an operator's dashboard has them.
    assert.match(metrics, /istio_agent_pilot_total_xds_rejects\{type="sds"\} 1\n/);
    assert.match(metrics, /istio_agent_pilot_xds_expired_nonce\{type="sds"\} 1\n/);
    assert.match(metrics, /istio_agent_pilot_xds_recv_max [1-9]\d+\n/);
    assert.match(metrics, /istio_agent_pilot_xds_send_time_count 1\n/);
    sds.secrets.set(rotated);
    assert.equal(chainOf(await client.answer()), "chain 2");
  });

  test("refuses a first request without a node", async () => {
    await using sds = await fixture(first);
    const client = sds.client();
    client.ask({ typeUrl: typeUrl.secret, resourceNames: ["default"] });
    await assert.rejects(client.answer(), { code: "INVALID_ARGUMENT", details: "missing node information" });
  });

  test("refuses other types", async () => {
    await using sds = await fixture(first);
    const client = sds.client();
    client.ask({ ...askFor("default"), typeUrl: typeUrl.cluster });
    await assert.rejects(client.answer(), {
      code: "INVALID_ARGUMENT",
      details: /Cluster is not served here/,
    });
  });

  test("never logs a key", async () => {
    await using sds = await fixture(first);
    const client = sds.client();
    client.ask(askFor("default", "ROOTCA"));
    await client.answer();
    assert.ok(sds.lines.length > 0);
    assert.doesNotMatch(sds.lines.join("\n"), /PRIVATE|chain/);
  });

  test("closes with streams open", async () => {
    const sds = await fixture(first);
    const client = sds.client();
    client.ask(askFor("default"));
    await client.answer();
    await sds[Symbol.asyncDispose]();
    await assert.rejects(client.answer());
  });
});
