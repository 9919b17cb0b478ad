/**
 * `npm run chaos`: what swaps, failures, deaths of Envoy, a missing control plane and one in a storm cost, as tables and one JSON line per
 * figure.
 *
 *     node test/chaos/main.ts [--swaps=20] [--perSecond=4000] [--kills=100] [--rounds=3] [--flaps=60] [--leakSwaps=120]
 *         [--parts=swaps,failures,crashes,kills,control-plane,leaks,config-storm] [--streams=1000] [--services=1000]
 *
 * It needs root, for network namespaces. Nothing else should run on the machine.
 */
import { parseArgs } from "node:util";
import { measureConfigStorm } from "./config-storm.ts";
import { measureControlPlane } from "./control-plane.ts";
import { measureCrashes } from "./crashes.ts";
import { measureFailures } from "./failures.ts";
import { measureKills } from "./kills.ts";
import { measureLeaks } from "./leaks.ts";
import { measureSwaps } from "./swaps.ts";

const { values: flags } = parseArgs({
  options: {
    swaps: { type: "string", default: "20" },
    perSecond: { type: "string", default: "4000" },
    kills: { type: "string", default: "100" },
    rounds: { type: "string", default: "3" },
    flaps: { type: "string", default: "60" },
    leakSwaps: { type: "string", default: "120" },
    parts: { type: "string", default: "swaps,failures,crashes,kills,control-plane,leaks,config-storm" },
    streams: { type: "string", default: "1000" },
    services: { type: "string", default: "1000" },
  },
});

const parts: Readonly<Record<string, () => Promise<boolean>>> = {
  swaps: () => measureSwaps({ swaps: Number(flags.swaps), perSecond: Number(flags.perSecond) }),
  failures: () => measureFailures({ rounds: Number(flags.rounds) }),
  crashes: () => measureCrashes({ rounds: Number(flags.rounds) }),
  kills: () => measureKills({ kills: Number(flags.kills) }),
  leaks: () => measureLeaks({ swaps: Number(flags.leakSwaps) }),
  "config-storm": () =>
    measureConfigStorm({ streams: Number(flags.streams), services: Number(flags.services) }),
  "control-plane": () => measureControlPlane({ flaps: Number(flags.flaps) }),
};

for (const name of flags.parts.split(",")) {
  const measure = parts[name];
  if (measure === undefined) throw new Error(`${name} is none of ${Object.keys(parts).join(", ")}`);
  if (!(await measure())) process.exitCode = 1;
}
