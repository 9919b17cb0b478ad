/** A broken rule, by the path of the field; a warning leaves its object in service. The code is Istio's for such a message. */
export type Complaint = readonly [
  path: string,
  message: string,
  severity?: "warning",
  code?: string | undefined,
];

/** A complaint for each value that an earlier item of the list at `path` has, too. */
export function duplicates(
  values: readonly (string | number)[],
  path: string,
  field: string,
): readonly Complaint[] {
  const seen = new Set<string | number>();
  return values.flatMap((value, index): readonly Complaint[] => {
    if (!seen.has(value)) {
      seen.add(value);
      return [];
    }
    const at = field === "" ? `${path}[${index}]` : `${path}[${index}].${field}`;
    return [[at, `${value} is there already: make it unique`]];
  });
}
