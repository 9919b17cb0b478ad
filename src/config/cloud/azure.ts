/**
 * Azure's instance metadata.
 */
import { jsonValue } from "../../document/json.ts";
import { configurationLimits } from "../../document/limits.ts";
import type { PlatformFacts } from "../sources/config-sources.ts";
import { isMapping } from "../../document/mapping.ts";
import { ask, type CloudContext, known } from "./metadata-request.ts";

/** Undefined when the service does not answer as it should. */
export async function azureFacts(context: CloudContext): Promise<PlatformFacts | undefined> {
  const text = await ask(
    {
      address: context.env.AZURE_METADATA_HOST,
      url: "/metadata/instance/compute?api-version=2021-02-01&format=json",
      headers: { metadata: "true" },
    },
    context,
  );
  const compute: unknown = text === undefined ? undefined : jsonValue(text, configurationLimits);
  if (!isMapping(compute)) return undefined;
  const field = (name: string): string | undefined =>
    typeof compute[name] === "string" ? compute[name] : undefined;
  const tags = (field("tags") ?? "").split(";").flatMap((tag) => {
    const [name = "", value] = tag.split(/:(.*)/s);
    return name === "" || value === undefined ? [] : [[`azure_${name}`, value] as const];
  });
  return {
    metadata: known({
      ...Object.fromEntries(tags),
      azure_name: field("name"),
      azure_location: field("location"),
      azure_vmId: field("vmId"),
    }),
    labels: {},
    locality: known({ region: field("location"), zone: field("zone") }),
  };
}
