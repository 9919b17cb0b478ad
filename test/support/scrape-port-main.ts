/**
 * A status port that merges one source, in a process of its own: `scrape-port-main.ts envoy <Unix socket>` or
 * `scrape-port-main.ts application <port>`.
 */
import { startScrapePort } from "./scrape-port.ts";

const [type, at = ""] = process.argv.slice(2);
await using port = await startScrapePort(
  type === "envoy"
    ? { envoySocket: at }
    : { mergesEnvoy: false, targets: [{ port: Number(at), path: "/metrics" }] },
);
console.log(`port ${port.port}`);
await new Promise(() => undefined);
