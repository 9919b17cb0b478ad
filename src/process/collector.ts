/** V8's own collection of garbage, for whoever knows better than V8 when it is worth its time. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Of V8's `gc`: the last resort collects until it finds no more, and gives the kernel every page that is empty. */
const options = {
  regular: { type: "major" },
  "last-resort": { type: "major", flavor: "last-resort" },
} as const;

type Options = (typeof options)[keyof typeof options];

/** Made at the first call: V8 hands its `gc` out only to contexts made after the flag was set. */
export function collector(how: keyof typeof options = "regular"): () => void {
  let collect: ((options: Options) => void) | undefined;
  return () => {
    if (collect === undefined) {
      setFlagsFromString("--expose-gc");
      collect = runInNewContext("gc") as NonNullable<typeof collect>;
      setFlagsFromString("--no-expose-gc");
    }
    collect(options[how]);
  };
}
