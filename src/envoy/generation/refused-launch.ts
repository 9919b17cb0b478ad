/** A launch that failed, and how. */
export interface RefusedLaunch {
  readonly fingerprint: string;
  readonly reason: string;
}
