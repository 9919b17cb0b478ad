/**
 * Amazon's instance metadata (IMDSv2: a token first, then questions with it).
 */
import type { PlatformFacts } from "../sources/config-sources.ts";
import { ask, type CloudContext, known } from "./metadata-request.ts";

/** Undefined when the service gives no token. */
export async function awsFacts(context: CloudContext): Promise<PlatformFacts | undefined> {
  const address = context.env.AWS_EC2_METADATA_SERVICE_ENDPOINT.replace(/^http:\/\/|\/$/g, "");
  const token = await ask(
    {
      address,
      url: "/latest/api/token",
      method: "PUT",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" },
    },
    context,
  );
  if (token === undefined) return undefined;
  const get = (path: string): Promise<string | undefined> =>
    ask(
      { address, url: `/latest/meta-data/${path}`, headers: { "x-aws-ec2-metadata-token": token } },
      context,
    );
  const [region, zone, id] = await Promise.all([
    get("placement/region"),
    get("placement/availability-zone"),
    get("instance-id"),
  ]);
  return {
    metadata: known({ aws_region: region, aws_availability_zone: zone, aws_instance_id: id }),
    labels: {},
    locality: known({ region, zone }),
  };
}
