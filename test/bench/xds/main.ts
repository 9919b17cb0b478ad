/**
 * `npm run bench:xds`: what the ADS proxy adds to a direct connection, in one run.
 *
 *     node test/bench/xds/main.ts [--runs=3] [--against='<command>']
 *
 * The control plane, the proxy and the client are a process each; the control plane has TLS, the proxy a Unix
 * socket, as in a pod, and runs as the release runs: with its flags of V8. `--against` has another agent between the same
 * two, in turns with ours: any that has pilot-agent's command line and environment, Istio's own among them.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { jsonLine, table } from "../figure.ts";
import { Notes } from "../notes.ts";
import { otherName, otherProgram, startLoneAgent } from "../other-agent.ts";
import { startPart } from "../part.ts";
import { ratioTable } from "../ratios.ts";
import { measurePings, measureResponses, measureSlowReader, type Route } from "./measure.ts";

const { values: flags } = parseArgs({
  options: { runs: { type: "string", default: "3" }, against: { type: "string" } },
});
const runs = Number(flags.runs);
const mebibyte = 1_048_576;

await using stack = new AsyncDisposableStack();
const folder = stack.use(temporaryFolder()).path;
const pki = await TestPki.create();
const server = await pki.serverKeyPair(
  ["localhost", "istiod.istio-system.svc"],
  validity(-60_000, 3_600_000),
);
const files = {
  root: join(folder, "root.pem"),
  certificate: join(folder, "cert.pem"),
  key: join(folder, "key.pem"),
};
writeFileSync(files.root, pki.rootPem);
writeFileSync(files.certificate, server.certificatePem);
writeFileSync(files.key, server.privateKeyPem, { mode: 0o600 });

const start = (script: string, args: readonly string[]) => startPart(join(import.meta.dirname, script), args);
const controlPlane = stack.use(await start("control-plane.ts", [files.certificate, files.key]));
const address = `localhost:${controlPlane.lines[0]?.replace("port ", "") ?? ""}`;
const proxy = stack.use(await start("proxy.ts", [folder, address, files.root]));
const sent = (): number => Number(controlPlane.lines.at(-1)?.replace("sent ", ""));
const routes: readonly Route[] = [
  {
    subject: "direct",
    channel: { address, tls: { rootCertificates: Buffer.from(pki.rootPem), serverName: undefined } },
    sent,
    proxy: undefined,
  },
  {
    subject: "proxy",
    sent,
    channel: { address: `unix:${join(folder, "XDS")}`, tls: undefined },
    proxy: { pid: proxy.pid, responses: () => Number(proxy.lines.at(-1)?.replace("responses ", "")) },
  },
];
const other = otherProgram(flags.against);
const agent =
  other === undefined
    ? undefined
    : stack.use(
        await startLoneAgent(other, join(folder, "other"), address, {
          "var/run/secrets/istio/root-cert.pem": pki.rootPem,
        }),
      );
const compared: readonly Route[] =
  agent === undefined
    ? routes
    : [
        ...routes,
        {
          ...{ subject: otherName, sent },
          channel: { address: `unix:${agent.xdsPath}`, tls: undefined },
          proxy: { pid: agent.pid, responses: undefined },
        },
      ];

const notes = new Notes();
for (let run = 0; run < runs; run += 1)
  for (const measure of [
    measurePings,
    (route: Route) =>
      measureResponses(route, { name: "10,000 small responses", count: 10_000, bytes: 512, runs: 1 }),
    (route: Route) => measureResponses(route, { name: "20 MiB", count: 1, bytes: 20 * mebibyte, runs: 1 }),
    (route: Route) => measureResponses(route, { name: "64 MiB", count: 1, bytes: 64 * mebibyte, runs: 1 }),
  ])
    for (const route of compared) notes.addAll(await measure(route));
for (const route of compared) notes.addAll(await measureSlowReader(route));

console.log(table(notes.figures));
if (agent !== undefined)
  console.log(`\n${ratioTable(notes.figures, [{ ours: "proxy", theirs: otherName }])}`);
for (const figure of notes.figures) console.log(jsonLine(figure));
