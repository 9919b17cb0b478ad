/**
 * Which cloud a machine belongs to, by its environment and its DMI.
 */
import type { Environment } from "../sources/environment.ts";

/** A cloud whose metadata service is known. */
export type Cloud = "aws" | "azure" | "gcp";

/** Files that name a machine's maker. */
export const dmiFiles = [
  "/sys/class/dmi/id/sys_vendor",
  "/sys/class/dmi/id/product_name",
  "/sys/class/dmi/id/bios_vendor",
] as const;

/** Undefined where nothing says so. */
export function detectCloud(
  env: Pick<Environment, "CLOUD_PLATFORM" | "GCE_METADATA_HOST" | "GCP_METADATA">,
  dmi: string,
): Cloud | undefined {
  const said = env.CLOUD_PLATFORM.toLowerCase();
  if (said === "none") return undefined;
  if (said === "aws" || said === "azure" || said === "gcp") return said;
  if (env.GCE_METADATA_HOST || env.GCP_METADATA) return "gcp";
  if (/^(?:Google|Google Compute Engine)$/m.test(dmi)) return "gcp";
  if (/Amazon EC2/.test(dmi)) return "aws";
  return /Microsoft Corporation/.test(dmi) ? "azure" : undefined;
}
