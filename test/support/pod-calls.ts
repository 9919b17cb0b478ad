/** What the two pods of captured-mesh-pods.ts get when they call one another. */
import assert from "node:assert/strict";
import type { CallReport } from "./pod-application.ts";

/** By direction. */
export interface PodCalls {
  /** web calls api. */
  readonly byName: CallReport;
  /** By the name that its own namespace's search domains complete. */
  readonly byShortName: CallReport;
  /** api calls web. */
  readonly back: CallReport;
}

/** Every protocol comes through, in mutual TLS that tells the caller. */
export function assertCalls({ byName, byShortName, back }: PodCalls): void {
  for (const { seen, caller, from } of [
    // TPROXY keeps the address of the caller's pod, …
    { seen: byName, caller: "web", from: "10.44.1.2" },
    { seen: byShortName, caller: "web", from: "10.44.1.2" },
    // … and with REDIRECT the application is called by its own Envoy.
    { seen: back, caller: "api", from: "127.0.0.6" },
  ]) {
    const { http, ...others } = seen;
    assert.match(
      http,
      new RegExp(`^application: .*URI=spiffe://cluster.local/ns/demo/sa/${caller} from ${from}$`),
    );
    assert.deepEqual(others, {
      https: `application: over HTTPS from ${from}`,
      tcp: `application: over TCP from ${from}`,
      grpc: `application: over gRPC from ${from}`,
    });
  }
}
