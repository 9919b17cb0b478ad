/** Another control plane, as it is named. */

/** Which control plane is asked, and how. */
export interface McpTarget {
  /** `host:port`. */
  readonly address: string;
  readonly isPlainText: boolean;
  /** Roots for its certificate; undefined for those that Node.js brings. */
  readonly caFile?: string | undefined;
  /** Name that its certificate must carry; the address's host unless told. */
  readonly serverName?: string | undefined;
  /** Holds the token that proves who asks, which is read for each stream. */
  readonly tokenFile?: string | undefined;
}

/** How problems and objects name a control plane. */
export const mcpScheme = "xds://";
