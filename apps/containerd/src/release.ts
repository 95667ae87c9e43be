/** The containerd release whose API is served; clients look at it. */
export const apiVersion = "v2.1.4";
/** Commit of the source, told by whoever packages it. */
export const revision = process.env["LONGSHORE_REVISION"] ?? "";
/** What stands before the version in `--version`, where containerd names its package. */
export const packageName = "longshore/containerd";
