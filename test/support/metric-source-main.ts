/** A large source of metrics in a process of its own, at a Unix socket and a port: `metric-source-main.ts <series> <socket>`. */
import { largeExposition } from "./large-exposition.ts";
import { saying, startSource } from "./metric-source.ts";

const [series = "", socketPath = ""] = process.argv.slice(2);
const answer = saying(largeExposition(Number(series)));
await using _envoy = await startSource(answer, socketPath);
await using application = await startSource(answer);
console.log(`port ${application.port}`);
await new Promise(() => undefined);
