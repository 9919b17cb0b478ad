/** From which version of Kubernetes on sidecars are native ones (KEP-753: stable with 1.33, as Istio takes it too). Pure. */

const first = { major: 1, minor: 33 };

/** Undefined for what is no version such as `1.33` or `v1.33.2+k3s1`. */
export function hasNativeSidecars(version: string): boolean | undefined {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,4})(?:[.+-]\S*)?$/.exec(version.trim()) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return Number(major) > first.major || (Number(major) === first.major && Number(minor) >= first.minor);
}
