import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import {
  type DeltaDiscoveryResponse,
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/proto/agent/discovery_pb.js";
import { type Secret, SecretSchema } from "../../../src/proto/agent/secret_pb.js";
import { SdsServer } from "../../../src/sds/server.ts";
import type { SdsSecrets } from "../../../src/sds/secrets.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { eventually } from "../../support/eventually.ts";
import { type Inbox, inboxOf } from "../../support/inbox.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

const service = "/envoy.service.secret.v3.SecretDiscoveryService";
const node = { id: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local" };
const first: SdsSecrets = {
  workload: { certificateChainPem: "chain 1", privateKeyPem: "PRIVATE 1" },
  rootPem: "root",
};

interface Served extends AsyncDisposable {
  readonly folder: string;
  readonly crlPath: string;
  readonly secrets: Watch<SdsSecrets>;
  readonly lines: readonly string[];
  channel(): GrpcChannel;
  open(method: string, channel?: GrpcChannel): { send(message: Uint8Array): void; readonly inbox: Inbox };
}

async function served(initial: SdsSecrets): Promise<Served> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const path = join(folder, "socket");
  const crlPath = join(folder, "crl.pem");
  const secrets = new Watch(initial);
  const { log, lines } = testLog();
  const tasks = stack.use(new TaskGroup());
  const options = { path, mode: 0o600, crlPath, privateKeyProvider: undefined };
  const server = stack.use(
    await SdsServer.listen(options, { secrets, log, metrics: new Metrics("istio_agent_") }),
  );
  tasks.spawn("sds", (signal) => server.run(signal));
  const channel = (): GrpcChannel => stack.use(new GrpcChannel({ address: `unix:${path}`, tls: undefined }));
  return {
    folder,
    crlPath,
    secrets,
    lines,
    channel,
    open: (method, over = channel()) => {
      const stream = over.stream(`${service}/${method}`, {});
      stack.defer(() => {
        stream.cancel();
      });
      return {
        send: (message) => {
          stream.enqueue(message);
        },
        inbox: inboxOf(stream),
      };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const request = (...resourceNames: string[]): Uint8Array =>
  toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { node, typeUrl: typeUrl.secret, resourceNames }),
  );

async function nextSecret(inbox: Inbox): Promise<Secret> {
  const { resources } = fromBinary(DiscoveryResponseSchema, await inbox.next());
  assert.equal(resources.length, 1);
  return fromBinary(SecretSchema, resources[0]?.value ?? new Uint8Array());
}

function pemOf(secret: Secret): string {
  const { type } = secret;
  const source =
    type.case === "tlsCertificate"
      ? type.value.certificateChain?.specifier
      : type.value?.trustedCa?.specifier;
  assert.equal(source?.case, "inlineBytes");
  return Buffer.from(source.value).toString();
}

describe("secrets from files", () => {
  test("a pair and a root are served by path, and again when they are replaced", async () => {
    await using sds = await served(first);
    const pki = await TestPki.create();
    const [chain, key, root] = ["chain.pem", "key.pem", "root.pem"].map((name) => join(sds.folder, name));
    assert.ok(chain !== undefined && key !== undefined && root !== undefined);
    const write = async (): Promise<string> => {
      const pair = await pki.serverKeyPair(["gateway.example"], validity(-60_000, 3_600_000));
      for (const [path, content] of [
        [chain, pair.certificatePem],
        [key, pair.privateKeyPem],
        [root, pki.rootPem],
      ] as const) {
        writeFileSync(`${path}.new`, content);
        renameSync(`${path}.new`, path);
      }
      return pair.certificatePem;
    };
    const before = await write();
    const pair = sds.open("StreamSecrets");
    const roots = sds.open("StreamSecrets");
    pair.send(request(`file-cert:${chain}~${key}`));
    roots.send(request(`file-root:${root}`));
    const secret = await nextSecret(pair.inbox);
    assert.equal(secret.name, `file-cert:${chain}~${key}`);
    assert.equal(pemOf(secret), before);
    assert.equal(pemOf(await nextSecret(roots.inbox)).trim(), pki.rootPem.trim());

    const after = await write();
    assert.equal(pemOf(await nextSecret(pair.inbox)), after);
    await roots.inbox.staysEmpty();
  });

  test("an expired pair does not take the place of a good one", async () => {
    await using sds = await served(first);
    const pki = await TestPki.create();
    const [chain, key] = ["chain.pem", "key.pem"].map((name) => join(sds.folder, name));
    assert.ok(chain !== undefined && key !== undefined);
    const write = async (endMs: number): Promise<string> => {
      const pair = await pki.serverKeyPair(["gateway.example"], validity(-7_200_000, endMs));
      writeFileSync(key, pair.privateKeyPem);
      writeFileSync(chain, pair.certificatePem);
      return pair.certificatePem;
    };
    const good = await write(3_600_000);
    const envoy = sds.open("StreamSecrets");
    const { inbox } = envoy;
    envoy.send(request(`file-cert:${chain}~${key}`));
    assert.equal(pemOf(await nextSecret(inbox)), good);
    await write(-60_000);
    await eventually("the reason", () => assert.match(sds.lines.join("\n"), /as they are now.*expired at/), {
      withinMs: 5_000,
    });
    await inbox.staysEmpty();
    const next = await write(3_600_000);
    assert.equal(pemOf(await nextSecret(inbox)), next);
  });

  test("a pair that is missing is answered late, on the open stream, and said to be missing once", async () => {
    await using sds = await served(first);
    const pki = await TestPki.create();
    const chain = join(sds.folder, "chain.pem");
    const key = join(sds.folder, "key.pem");
    const stream = sds.open("StreamSecrets");
    stream.send(request(`file-cert:${chain}~${key}`));
    await stream.inbox.staysEmpty(500);
    const pair = await pki.serverKeyPair(["gateway.example"], validity(-60_000, 3_600_000));
    writeFileSync(chain, pair.certificatePem);
    writeFileSync(key, pair.privateKeyPem);
    assert.equal(pemOf(await nextSecret(stream.inbox)), pair.certificatePem);
    assert.equal(sds.lines.filter((line) => line.includes("chain.pem cannot be read")).length, 1);
    assert.doesNotMatch(sds.lines.join("\n"), /PRIVATE KEY/);
  });

  test("what is no file, or has no end, holds up no other secret, and is served once it is a file", async () => {
    await using sds = await served(first);
    const pki = await TestPki.create();
    const odd = [join(sds.folder, "fifo"), join(sds.folder, "zero"), join(sds.folder, "huge"), sds.folder];
    const [fifo = "", zero = "", huge = ""] = odd;
    execFileSync("mkfifo", [fifo]);
    symlinkSync("/dev/zero", zero);
    writeFileSync(huge, "");
    truncateSync(huge, 20 * 2 ** 30);
    const wanted = sds.open("StreamSecrets");
    const before = process.memoryUsage.rss();
    for (const path of odd) sds.open("StreamSecrets").send(request(`file-root:${path}`));
    const good = join(sds.folder, "good.pem");
    writeFileSync(good, pki.rootPem);
    wanted.send(request(`file-root:${good}`));
    assert.equal(pemOf(await nextSecret(wanted.inbox)).trim(), pki.rootPem.trim());
    for (const what of ["a FIFO", "a device", "more than", "a folder"])
      await eventually(what, () => assert.match(sds.lines.join("\n"), new RegExp(what)), { withinMs: 5_000 });
    // /dev/zero alone took half a gigabyte.
    assert.ok(process.memoryUsage.rss() - before < 200 * 2 ** 20);

    const waiting = sds.open("StreamSecrets");
    waiting.send(request(`file-root:${fifo}`));
    rmSync(fifo);
    writeFileSync(fifo, pki.rootPem);
    assert.equal(pemOf(await nextSecret(waiting.inbox)).trim(), pki.rootPem.trim());
  });

  test("a pair that does not fit is never served", async () => {
    await using sds = await served(first);
    const pki = await TestPki.create();
    const valid = validity(-60_000, 3_600_000);
    const [one, other] = [await pki.serverKeyPair(["a"], valid), await pki.serverKeyPair(["b"], valid)];
    const [chain, key] = [join(sds.folder, "chain.pem"), join(sds.folder, "key.pem")];
    writeFileSync(chain, one.certificatePem);
    writeFileSync(key, other.privateKeyPem);
    const stream = sds.open("StreamSecrets");
    stream.send(request(`file-cert:${chain}~${key}`));
    await stream.inbox.staysEmpty(500);
    writeFileSync(key, one.privateKeyPem);
    assert.equal(pemOf(await nextSecret(stream.inbox)), one.certificatePem);
  });

  test("the system's roots have a name of their own", async () => {
    await using sds = await served(first);
    const stream = sds.open("StreamSecrets");
    stream.send(request("file-root:system"));
    assert.match(pemOf(await nextSecret(stream.inbox)), /BEGIN CERTIFICATE/);
  });

  test("a list of revoked certificates goes with the root from the moment that there is one", async () => {
    await using sds = await served(first);
    const stream = sds.open("StreamSecrets");
    stream.send(request("ROOTCA"));
    const bare = await nextSecret(stream.inbox);
    assert.equal(bare.type.case === "validationContext" && bare.type.value.crl, undefined);
    writeFileSync(sds.crlPath, "revoked");
    const { type } = await nextSecret(stream.inbox);
    assert.equal(type.case, "validationContext");
    assert.equal(type.value.crl?.specifier.case, "inlineBytes");
  });
});

describe("DeltaSecrets", () => {
  const delta = async (inbox: Inbox): Promise<DeltaDiscoveryResponse> =>
    fromBinary(DeltaDiscoveryResponseSchema, await inbox.next());
  const subscribe = (
    names: string[],
    changes: { resourceNamesUnsubscribe?: string[]; initialResourceVersions?: Record<string, string> } = {},
  ): Uint8Array =>
    toBinary(
      DeltaDiscoveryRequestSchema,
      create(DeltaDiscoveryRequestSchema, {
        node,
        typeUrl: typeUrl.secret,
        resourceNamesSubscribe: names,
        ...changes,
      }),
    );

  test("sends what changed, refuses what there will never be, and answers late what is not there yet", async () => {
    await using sds = await served({ rootPem: "root" });
    const stream = sds.open("DeltaSecrets");
    stream.send(subscribe(["default", "ROOTCA", "kubernetes://default"]));
    const answer = await delta(stream.inbox);
    assert.deepEqual(
      answer.resources.map(({ name }) => name),
      ["ROOTCA"],
    );
    assert.deepEqual(answer.removedResources, ["kubernetes://default"]);
    sds.secrets.set(first);
    const late = await delta(stream.inbox);
    assert.deepEqual(
      late.resources.map(({ name }) => name),
      ["default"],
    );
    assert.deepEqual(late.removedResources, []);
  });

  test("sends nothing of what Envoy has already, over a new stream", async () => {
    await using sds = await served(first);
    const stream = sds.open("DeltaSecrets");
    stream.send(subscribe(["default", "ROOTCA"]));
    const { resources } = await delta(stream.inbox);
    const initialResourceVersions = Object.fromEntries(resources.map(({ name, version }) => [name, version]));
    const again = sds.open("DeltaSecrets");
    again.send(subscribe(["default", "ROOTCA"], { initialResourceVersions }));
    await again.inbox.staysEmpty();
    sds.secrets.set({ ...first, rootPem: "new root" });
    assert.deepEqual(
      (await delta(again.inbox)).resources.map(({ name }) => name),
      ["ROOTCA"],
    );
  });

  test("sends nothing of what Envoy let go of", async () => {
    await using sds = await served(first);
    const stream = sds.open("DeltaSecrets");
    stream.send(subscribe(["default", "ROOTCA"]));
    await delta(stream.inbox);
    stream.send(subscribe([], { resourceNamesUnsubscribe: ["default"] }));
    await stream.inbox.staysEmpty();
    sds.secrets.set({ ...first, workload: { certificateChainPem: "chain 2", privateKeyPem: "PRIVATE 2" } });
    await stream.inbox.staysEmpty();
  });
});

describe("FetchSecrets", () => {
  test("answers once, and refuses unknown names and what is not there yet", async () => {
    await using sds = await served({ rootPem: "root" });
    const channel = sds.channel();
    const fetch = (...names: string[]): Promise<Buffer> =>
      channel.unary({
        path: `${service}/FetchSecrets`,
        request: request(...names),
        metadata: {},
        timeoutMs: 5_000,
      });
    const { resources } = fromBinary(DiscoveryResponseSchema, await fetch("ROOTCA"));
    assert.equal(resources.length, 1);
    await assert.rejects(fetch("kubernetes://default"), { code: "NOT_FOUND" });
    await assert.rejects(fetch("default"), { code: "UNAVAILABLE", details: "not there yet: default" });
  });
});

test("2,000 streams all get a rotation, and the one that stalls keeps nobody waiting", async () => {
  await using sds = await served(first);
  const channel = sds.channel();
  // Never read: a client that stalls.
  channel.stream(`${service}/StreamSecrets`, {}).enqueue(request("default"));
  const streams: ReturnType<Served["open"]>[] = [];
  // Not all at once: Node's HTTP/2 does not read while it writes, and here both ends are Node's.
  for (let batch = 0; batch < 8; batch += 1) {
    const opened = Array.from({ length: 250 }, () => sds.open("StreamSecrets", channel));
    for (const stream of opened) stream.send(request("default"));
    for (const { inbox } of opened) assert.equal(pemOf(await nextSecret(inbox)), "chain 1");
    streams.push(...opened);
  }
  sds.secrets.set({ ...first, workload: { certificateChainPem: "chain 2", privateKeyPem: "PRIVATE 2" } });
  for (const { inbox } of streams) assert.equal(pemOf(await nextSecret(inbox)), "chain 2");
});
