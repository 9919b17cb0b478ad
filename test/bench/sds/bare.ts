/**
 * What nobody can be faster than: a server of bare `node:http2` that answers each request with the same bytes, and
 * writes them to all streams when told to.
 *
 *     node bare.ts FOLDER CHAIN KEY ROOT
 */
import { readFileSync, rmSync } from "node:fs";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { join } from "node:path";
import { StreamServer } from "../../../src/grpc/stream-server.ts";
import { grpcFrame } from "../../support/http2-server.ts";

const [folder = "", ...files] = process.argv.slice(2);
const answer = grpcFrame(Buffer.concat(files.map((path) => readFileSync(path))));
const streams = new Set<ServerHttp2Stream>();
const server = createServer({ maxSessionMemory: 1_000, settings: { maxConcurrentStreams: 100_000 } });
server.on("stream", (stream) => {
  streams.add(stream);
  stream.on("error", () => undefined);
  stream.on("close", () => streams.delete(stream));
  stream.once("data", () => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    stream.write(answer);
  });
});
rmSync(join(folder, "sds"), { force: true });
await new Promise<void>((resolve) => {
  server.listen(join(folder, "sds"), resolve);
});
await StreamServer.listen({ path: join(folder, "control"), mode: 0o600 }, [
  {
    name: "bench.Control",
    streams: {
      Rotate: async (stream) => {
        for await (const _ of stream) for (const each of streams) each.write(answer);
      },
    },
  },
]);
console.log("ready");
