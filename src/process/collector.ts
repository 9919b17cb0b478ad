/** V8's own collection of garbage, for whoever knows better than V8 when it is worth its time. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** `young` looks through a few MiB at most, in a millisecond or less; `all` through everything. */
export type Collection = "young" | "all";

/** Made at the first call: V8 hands its `gc` out only to contexts made after the flag was set. */
export function collector(what: Collection): () => void {
  let collect: ((options?: { readonly type: "minor" }) => void) | undefined;
  return () => {
    if (collect === undefined) {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as NonNullable<typeof collect>;
      setFlagsFromString("--no-expose-gc");
    }
    if (what === "young") collect({ type: "minor" });
    else collect();
  };
}
