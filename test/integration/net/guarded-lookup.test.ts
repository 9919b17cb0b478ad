/** Addresses that are not asked, whatever name leads to them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RefusedAddressError } from "../../../src/net/guarded-lookup.ts";
import { fetchHttp } from "../../../src/net/http-client.ts";
import { bytes, startModuleServer } from "../../support/module-server.ts";

const isOfThisMachine = (address: string): string | undefined =>
  /^(?:127\.|::1$)/.test(address) ? "is of this machine" : undefined;

describe("a request that must not go everywhere", () => {
  for (const [host, message] of [
    ["localhost", /^localhost has the address (?:127\.0\.0\.1|::1), which is of this machine$/],
    ["127.0.0.1", /^127\.0\.0\.1 is of this machine$/],
  ] as const)
    test(`does not reach ${host} where the address is refused, and does where it is not`, async () => {
      await using server = await startModuleServer();
      server.answers.set("/", bytes(Buffer.from("here")));
      const request = { target: { host, port: server.port }, url: "/", timeoutMs: 10_000 };
      await assert.rejects(fetchHttp({ ...request, refuses: isOfThisMachine }), (error: unknown) => {
        assert.ok(error instanceof RefusedAddressError);
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual(server.requests, []);
      const { body } = await fetchHttp({ ...request, refuses: () => undefined });
      assert.equal(body.toString(), "here");
    });

  test("goes to the addresses of a name that are left", async () => {
    await using server = await startModuleServer();
    server.answers.set("/", bytes(Buffer.from("here")));
    const { status } = await fetchHttp({
      target: { host: "localhost", port: server.port },
      url: "/",
      timeoutMs: 10_000,
      refuses: (address) => (address === "::1" ? "is not meant" : undefined),
    });
    assert.equal(status, 200);
  });

  test("says of a name that leads nowhere what the resolver says", async () => {
    const target = { host: "nowhere.invalid", port: 1 };
    await assert.rejects(fetchHttp({ target, url: "/", timeoutMs: 10_000, refuses: () => undefined }), {
      syscall: "getaddrinfo",
    });
  });
});
