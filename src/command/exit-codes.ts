/**
 * Exit codes that commands share.
 */

/** A wrong command line, or a configuration that cannot be used: `EX_USAGE` of sysexits(3). */
export const unusableCode = 64;
