import type { ApiChange } from "../server/version/api-changes.ts";

/** Whether the API version of the request at hand has a change. */
export type Speaks = (change: ApiChange) => boolean;
