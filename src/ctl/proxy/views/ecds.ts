/**
 * Extensions that are discovered: `ECDS NAME TYPE`.
 */
import { textAt } from "../../../lifecycle/json-path.ts";
import { byKeys, type View } from "./view.ts";

/** By name. */
export const ecdsView: View = {
  columns: ["ECDS NAME", "TYPE"],
  select: (dump) => dump.ecds.toSorted(byKeys(({ name }) => [name])),
  rows: ({ name, json }) => [
    [name, (textAt(json, "typed_config", "@type") ?? "").replace(/^type\.googleapis\.com\//, "")],
  ],
};
