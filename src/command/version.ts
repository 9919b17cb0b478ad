/** The release, as in package.json. A unit test keeps the two equal. */
export const version = "0.1.0";
