/**
 * What the cloud says about this machine, where there is reason to think that there is one.
 *
 * Asking everywhere would cost every other machine the whole deadline: nothing answers there.
 */
import { readEnvironment } from "../sources/environment.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import type { ConfigSources, PlatformFacts } from "../sources/config-sources.ts";
import { awsFacts } from "./aws.ts";
import { azureFacts } from "./azure.ts";
import { detectCloud, dmiFiles } from "./detect.ts";
import { gcpFacts } from "./gcp.ts";

/** Undefined where there is no cloud, or none that answers within `deadlineMs`. */
export async function readPlatform(
  sources: Pick<ConfigSources, "env" | "readFile">,
  deadlineMs: number,
): Promise<PlatformFacts | undefined> {
  const env = readEnvironment(sources.env, [], []);
  const dmi = dmiFiles.map((path) => {
    const content = sources.readFile(path);
    return content.kind === "read" ? content.text : "";
  });
  const cloud = detectCloud(env, dmi.join("\n"));
  if (cloud === undefined || deadlineMs === 0) return undefined;
  const limit = new AbortController();
  const ask = { aws: awsFacts, azure: azureFacts, gcp: gcpFacts }[cloud];
  const context = { env, deadlineMs, signal: limit.signal };
  const facts = await Promise.race([
    ask(context).catch(() => undefined),
    sleep(deadlineMs, limit.signal).then(() => undefined),
  ]);
  limit.abort();
  return facts;
}
