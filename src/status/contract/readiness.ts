/** Whether the workload may be sent traffic. */

/** Ready, or why not. */
export type Readiness =
  | {
      readonly ready: true;
      /** What a reader should know all the same. */
      readonly note?: string;
    }
  | { readonly ready: false; readonly reason: string };
