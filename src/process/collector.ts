/** V8's own collection of garbage, for whoever knows better than V8 when it is worth its time. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Made at the first call: V8 hands its `gc` out only to contexts made after the flag was set. */
export function collector(): () => void {
  let collect: (() => void) | undefined;
  return () => {
    if (collect === undefined) {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as NonNullable<typeof collect>;
      setFlagsFromString("--no-expose-gc");
    }
    collect();
  };
}
