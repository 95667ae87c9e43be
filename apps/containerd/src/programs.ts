import { dirname, resolve } from "node:path";

// Beside the sources as beside the bundle the app's folder is one up.
const appDir = resolve(import.meta.dirname, "..");

/** This program, as shims call it to publish. */
export const containerdBinary = resolve(appDir, "../../bin/containerd");

/** Where shims are looked for, before $PATH: where the shim's build puts it, and beside this program. */
export const shimDirs = [resolve(appDir, "../shim/build"), dirname(containerdBinary)];
