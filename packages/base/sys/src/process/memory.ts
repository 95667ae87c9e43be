import { addon } from "../addon.ts";

const native = addon as { releaseFilePages(): void };

/**
 * Lets go of the pages of code and constants that this process has mapped; those used again come
 * back from the page cache, at a fault each.
 */
export function releaseFilePages(): void {
  native.releaseFilePages();
}
