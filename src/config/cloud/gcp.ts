/**
 * Google's instance metadata, or what GCP_METADATA says in its place.
 */
import type { PlatformFacts } from "../sources/config-sources.ts";
import { ask, type CloudContext, known } from "./metadata-request.ts";

/** Undefined when nothing answers and the environment says nothing. */
export async function gcpFacts(context: CloudContext): Promise<PlatformFacts | undefined> {
  const { env } = context;
  const [project, number, cluster, location] = env.GCP_METADATA.split("|");
  const get = (path: string): Promise<string | undefined> =>
    ask(
      {
        address: env.GCE_METADATA_HOST,
        url: `/computeMetadata/v1/${path}`,
        headers: { "metadata-flavor": "Google" },
      },
      context,
    );
  const [asked, askedNumber, askedCluster, askedLocation, zonePath, name, id, template, createdBy] =
    await Promise.all([
      project || get("project/project-id"),
      number || get("project/numeric-project-id"),
      cluster || get("instance/attributes/cluster-name"),
      location || get("instance/attributes/cluster-location"),
      get("instance/zone"),
      get("instance/name"),
      get("instance/id"),
      get("instance/attributes/instance-template"),
      get("instance/attributes/created-by"),
    ]);
  // projects/123/zones/us-central1-a
  const zone = env.GCP_ZONE || zonePath?.split("/").at(-1) || undefined;
  const region = zone?.replace(/-[a-z]$/, "") ?? askedLocation?.replace(/-[a-z]$/, "");
  const hasCluster = Boolean(asked && askedCluster && askedLocation);
  const metadata = known({
    gcp_project: asked,
    gcp_project_number: askedNumber,
    gcp_gke_cluster_name: askedCluster,
    gcp_gke_cluster_url: hasCluster
      ? `https://container.googleapis.com/v1/projects/${asked}/locations/${askedLocation}/clusters/${askedCluster}`
      : undefined,
    gcp_location: askedLocation ?? zone,
    gcp_gce_instance: name,
    gcp_gce_instance_id: id,
    gcp_gce_instance_template: template,
    gcp_gce_instance_created_by: createdBy,
    gcp_quota_project: env.GCP_QUOTA_PROJECT || undefined,
    gcp_zone: zone,
  });
  return Object.keys(metadata).length === 0
    ? undefined
    : { metadata, labels: {}, locality: known({ region, zone }) };
}
