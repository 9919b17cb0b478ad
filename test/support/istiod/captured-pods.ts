/**
 * In a network namespace of its own: the pods of captured-mesh-pods.ts with a real istiod, and what clients get when they
 * call the other pod by its name.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { capture, hostOf, podServices, rulesIn, startCapturedPods } from "../captured-mesh-pods.ts";
import { accountToken } from "./account-token.ts";
import { mutualTls } from "../mesh-objects.ts";
import { answerAsProgram } from "../namespaced-program.ts";
import type { PodCalls } from "../pod-calls.ts";
import { callInPlainText } from "../pod-service.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { startIstiod } from "./istiod.ts";

/** What was seen. */
export interface IstiodPodsReport extends PodCalls {
  /** From the node, which is in no mesh. */
  readonly fromOutside: string;
  /** The kernel's rules in both once cleaned are those from before. */
  readonly isClean: boolean;
}

async function live(): Promise<IstiodPodsReport> {
  using folder = temporaryFolder();
  const istiodFolder = join(folder.path, "istiod");
  mkdirSync(istiodFolder);
  const objects = { "services.yaml": podServices, "mtls.yaml": [mutualTls("STRICT")] };
  await using istiod = await startIstiod(istiodFolder, objects, "0.0.0.0");
  await using pods = await startCapturedPods({
    folder: folder.path,
    token: (name) => accountToken("demo", name, { pod: { name: `${name}-1` } }),
    rootPem: istiod.rootPem,
    port: istiod.ports.tls,
  });
  const { web, api, before } = pods;
  const byName = await web.firstCalls(hostOf("api"));
  const byShortName = await web.call("api");
  const back = await api.firstCalls(hostOf("web"));
  const fromOutside = await callInPlainText(api.address);
  for (const pod of [web, api]) await capture(pod, "clean-iptables");
  const isClean = [web, api].every((pod) => rulesIn(pod) === before);
  return { byName, byShortName, back, fromOutside, isClean };
}

if (import.meta.main) await answerAsProgram(live);
