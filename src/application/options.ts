/** The socket that an application holds while it lives. */
export interface ApplicationSocketOptions {
  readonly path: string;
  /** Permission bits of the socket. */
  readonly mode: number;
  /** How long nobody may hold it before the application counts as gone, in milliseconds: a restart in place. */
  readonly graceMs: number;
}
