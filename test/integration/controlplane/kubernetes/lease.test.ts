/** An API that hangs for the holder of a lease costs it the lease before another one may take it, and a stop no time. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { KubernetesApi } from "../../../../src/controlplane/kubernetes/api.ts";
import { LeaseHolder } from "../../../../src/controlplane/kubernetes/lease.ts";
import { aborted } from "../../../../src/lifecycle/sleep.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/test-log.ts";

const withinMs = 60_000;

test("a holder whose API hangs works no longer before another one does, and stops all the same", async () => {
  let lease: { readonly metadata: { readonly resourceVersion: string } } | undefined;
  let version = 1;
  const hanging = new Set<string>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    if (hanging.has(String(request.headers["x-who"]))) return;
    const send = (code: number, object: object): void => {
      response.writeHead(code).end(JSON.stringify(object));
    };
    if (request.method === "GET" && lease === undefined) send(404, { kind: "Status", code: 404 });
    else if (request.method === "GET") send(200, lease ?? {});
    else {
      const given = JSON.parse(body) as { readonly metadata: { readonly resourceVersion?: string } };
      if (given.metadata.resourceVersion !== lease?.metadata.resourceVersion) {
        send(409, { kind: "Status", code: 409 });
        return;
      }
      version += 1;
      lease = { ...given, metadata: { ...given.metadata, resourceVersion: `${version}` } };
      send(200, lease);
    }
  };
  await using stack = new AsyncDisposableStack();
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const working = new Set<string>();
  let most = 0;
  const compete = (identity: string): (() => Promise<void>) => {
    const credentials = (): Promise<{ readonly headers: Readonly<Record<string, string>> }> =>
      Promise.resolve({ headers: { "x-who": identity } });
    const api = stack.use(new KubernetesApi({ server: `http://127.0.0.1:${port}`, credentials }));
    const stop = new AbortController();
    const options = { namespace: "n", name: "l", identity, durationMs: 3_000 };
    const ended = new LeaseHolder(api, options, testLog().log).run(async (signal) => {
      working.add(identity);
      most = Math.max(most, working.size);
      await aborted(signal);
      working.delete(identity);
    }, stop.signal);
    return async () => {
      stop.abort();
      await ended;
    };
  };
  const leads = (wanted: string): Promise<void> =>
    eventually(`${wanted} leads`, () => assert.deepEqual([...working], [wanted]), { withinMs });
  const stopA = compete("a");
  await leads("a");
  const stopB = compete("b");
  hanging.add("a");
  await leads("b");
  assert.equal(most, 1, "two led at once");
  // The API answers a request after 30 s at the latest: nobody waits for that.
  hanging.add("b");
  const startedAt = performance.now();
  await Promise.all([stopA(), stopB()]);
  assert.ok(performance.now() - startedAt < 20_000);
});
