/** A mesh has one root, whatever becomes of the Secret that it is in. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { followClusterCa, openClusterCa } from "../../../src/controlplane/ca/cluster-ca.ts";
import { pluggedInCa } from "../../../src/controlplane/ca/material.ts";
import { KubernetesApi } from "../../../src/controlplane/kubernetes/api.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const withinMs = 10_000;

/** What is answered; undefined leaves what is right. */
type Answer = (method: string) => readonly [status: number, body: unknown] | undefined;

interface Secrets extends AsyncDisposable {
  readonly api: KubernetesApi;
  answer: Answer;
  stored: unknown;
}

async function startSecrets(): Promise<Secrets> {
  await using stack = new AsyncDisposableStack();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await request.toArray()).join("");
    const send = (status: number, answer: unknown): void => {
      response.writeHead(status).end(typeof answer === "string" ? answer : JSON.stringify(answer));
    };
    const fault = secrets.answer(request.method ?? "");
    if (fault !== undefined) send(...fault);
    else if (request.method === "POST") send(201, (secrets.stored = JSON.parse(body)));
    else if (secrets.stored === undefined || request.url?.endsWith("/cacerts") === true)
      send(404, { kind: "Status" });
    else send(200, secrets.stored);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const credentials = (): Promise<{ headers: object }> => Promise.resolve({ headers: {} });
  const access = { server: `http://127.0.0.1:${port}`, credentials } as never;
  const api = stack.use(new KubernetesApi(access));
  const owned = stack.move();
  const secrets: Secrets = {
    ...{ api, answer: () => undefined, stored: undefined },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return secrets;
}

async function rootOf({ api }: Secrets, stateDir: string): Promise<string> {
  const { log } = testLog();
  const options = { namespace: "istio-system", trustDomain: "cluster.local", stateDir };
  const ca = await openClusterCa(api, options, { log, signal: new AbortController().signal });
  return (await ca.read()).rootPem;
}

const faults: Readonly<Record<string, Answer>> = {
  "is busy": () => [503, {}],
  fails: () => [500, {}],
  "does not know us": () => [401, {}],
  "refuses us": () => [403, { kind: "Status", message: "forbidden" }],
  "is not Kubernetes": () => [404, "<html>"],
  "has a Secret that is being written": () => [200, { metadata: { name: "cacerts" }, data: {} }],
  "has somebody else's Secret": () => [200, { metadata: { name: "cacerts" }, data: { "tls.crt": "eA==" } }],
  lies: () => [200, {}],
};

describe("the CA of a cluster", () => {
  for (const [what, answer] of Object.entries(faults)) {
    test(`is what it was while the cluster ${what}`, async () => {
      using folder = temporaryFolder();
      await using secrets = await startSecrets();
      const root = await rootOf(secrets, folder.path);
      secrets.answer = answer;
      assert.equal(await rootOf(secrets, folder.path), root);
    });
  }

  test("is put back where the Secret is gone", async () => {
    using folder = temporaryFolder();
    await using secrets = await startSecrets();
    const root = await rootOf(secrets, folder.path);
    const { stored } = secrets;
    secrets.stored = undefined;
    assert.equal(await rootOf(secrets, folder.path), root);
    assert.deepEqual(secrets.stored, stored);
  });

  test("is the Secret's where nothing was kept, and none where that may not be read", async () => {
    using first = temporaryFolder();
    using second = temporaryFolder();
    await using secrets = await startSecrets();
    assert.equal(await rootOf(secrets, first.path), await rootOf(secrets, second.path));
    using third = temporaryFolder();
    secrets.answer = () => [403, { kind: "Status", message: "forbidden" }];
    await assert.rejects(rootOf(secrets, third.path), /CA of the cluster cannot be used.*\n.*status 403/);
  });

  test("is what somebody else has put into the Secret while the control plane runs", async () => {
    using folder = temporaryFolder();
    using other = temporaryFolder();
    await using secrets = await startSecrets();
    await using others = await startSecrets();
    const before = await rootOf(secrets, folder.path);
    const rotated = await rootOf(others, other.path);
    const { log, lines } = testLog();
    const tasks = new TaskGroup();
    await using _ = tasks;
    const options = { namespace: "istio-system", trustDomain: "cluster.local", stateDir: folder.path };
    tasks.spawn("follow", (signal) => followClusterCa(secrets.api, options, { log, signal, everyMs: 20 }));
    const rootNow = async (): Promise<string> =>
      (await pluggedInCa(join(folder.path, "cluster-ca")).read()).rootPem;
    // Half of a Secret is none.
    secrets.answer = () => [200, { metadata: { name: "cacerts" }, data: {} }];
    await eventually("a word on it", () => assert.match(lines.join("\n"), /cannot be read again/), {
      withinMs,
    });
    let looks = 0;
    secrets.answer = () => {
      looks += 1;
      return [200, { metadata: { name: "cacerts" }, data: {} }];
    };
    await eventually("some more looks", () => assert.ok(looks > 4), { withinMs });
    assert.equal(lines.filter((line) => line.includes("cannot be read again")).length, 1);
    assert.equal(await rootNow(), before);
    secrets.answer = () => undefined;
    secrets.stored = others.stored;
    await eventually("the other CA", async () => assert.equal(await rootNow(), rotated), { withinMs });
    // One that is gone is made again, of what was kept.
    secrets.stored = undefined;
    await eventually("the Secret", () => assert.deepEqual(secrets.stored, others.stored), { withinMs });
  });

  test("stays while somebody deletes the Secret and makes it anew, and the cluster has an older one meanwhile", async () => {
    using folder = temporaryFolder();
    using other = temporaryFolder();
    await using secrets = await startSecrets();
    await using others = await startSecrets();
    const before = await rootOf(secrets, folder.path);
    await rootOf(others, other.path);
    const { log, lines } = testLog();
    const tasks = new TaskGroup();
    await using _ = tasks;
    let looks = 0;
    secrets.answer = () => {
      looks += 1;
      return looks === 3 ? [200, others.stored] : undefined;
    };
    const options = { namespace: "istio-system", trustDomain: "cluster.local", stateDir: folder.path };
    tasks.spawn("follow", (signal) => followClusterCa(secrets.api, options, { log, signal, everyMs: 20 }));
    await eventually("some more looks", () => assert.ok(looks > 8), { withinMs });
    assert.doesNotMatch(lines.join("\n"), /the CA is what the cluster has by now/);
    assert.equal((await pluggedInCa(join(folder.path, "cluster-ca")).read()).rootPem, before);
  });
});
