import assert from "node:assert/strict";
import { constants, type ServerHttp2Stream } from "node:http2";
import { describe, test } from "node:test";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { grpcFrame, listenForHttp2 } from "../../support/http2-server.ts";
import { xdsFixture } from "../../support/xds-fixture.ts";
import { delta } from "../../support/xds-messages.ts";

type End = (stream: ServerHttp2Stream) => void;

function trailers(status: number, message: string): End {
  return (stream) => {
    stream.on("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": String(status), "grpc-message": message });
    });
    stream.end();
  };
}

// How a control plane can end a stream on which it has answered, and what that is to an operator.
const ends: readonly [what: string, end: End, type: "graceful" | "cancelled" | "error"][] = [
  ["the end of the stream", trailers(0, ""), "graceful"],
  ["CANCELLED", trailers(1, "context canceled"), "cancelled"],
  ["DEADLINE_EXCEEDED", trailers(4, "context deadline exceeded"), "cancelled"],
  ["UNAVAILABLE as its client is gone", trailers(14, "client disconnected"), "cancelled"],
  ["UNAVAILABLE as its transport ends", trailers(14, "error reading from server: EOF"), "cancelled"],
  ["UNAVAILABLE as its transport is closing", trailers(14, "transport is closing"), "cancelled"],
  ["UNAVAILABLE for another reason", trailers(14, "overloaded"), "error"],
  ["INTERNAL", trailers(13, "panic"), "error"],
  ["RST_STREAM with NO_ERROR", (stream) => stream.close(constants.NGHTTP2_NO_ERROR), "cancelled"],
  ["RST_STREAM with an error", (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR), "error"],
  ["the end of the connection", (stream) => stream.session?.destroy(), "cancelled"],
];

describe("what ends the control plane's stream", () => {
  for (const [what, end, type] of ends) {
    test(`${what} is ${type}: ${type === "error" ? "a warning" : "no warning"}`, async () => {
      await using server = await listenForHttp2((stream) => {
        stream.respond(
          { ":status": 200, "content-type": "application/grpc" },
          { waitForTrailers: what !== "RST_STREAM with NO_ERROR" },
        );
        stream.write(grpcFrame(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" })));
        setTimeout(() => {
          end(stream);
        }, 50);
      });
      await using xds = await xdsFixture({ address: server.address });
      const { stream, inbox } = xds.envoy(delta);
      stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
      await inbox.next();
      await assert.rejects(inbox.next());
      const { problem } = await xds.becomes("disconnected");
      assert.equal(problem !== undefined, type === "error");
      assert.match(
        await xds.metrics.render(),
        new RegExp(`istio_agent_istiod_connection_terminations\\{type="${type}"\\} 1\n`),
      );
      const last = xds.lines.at(-1) ?? "";
      assert.match(
        last,
        new RegExp(`^${type === "error" ? "warn" : "info"}\tdisconnected from the discovery`),
      );
    });
  }
});
