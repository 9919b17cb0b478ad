/** Sees the next Envoy of a sidecar become LIVE, from outside. */
import { join } from "node:path";
import { fetchHttp } from "../../src/net/http-client.ts";
import { envoysOf } from "./envoys-of.ts";
import { eventually } from "./eventually.ts";

/** Resolves with the pid of the first Envoy above this generation, once it is LIVE. */
export function nextLiveEnvoy(folder: string, configPath: string, aboveGeneration: number): Promise<number> {
  return eventually(
    "another Envoy LIVE",
    async () => {
      const next = envoysOf(folder).find(({ generation }) => generation > aboveGeneration);
      if (next === undefined) throw new Error("there is none yet");
      const path = join(configPath, "generations", String(next.generation), "admin.sock");
      const { status } = await fetchHttp({ target: { path }, url: "/ready", timeoutMs: 500 });
      if (status !== 200) throw new Error(`/ready answered ${status}`);
      return next.pid;
    },
    { withinMs: 15_000, everyMs: 3 },
  );
}
