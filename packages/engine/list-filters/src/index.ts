export { Filters, hasLabel } from "./filters.ts";
export { acceptsLabels } from "./prunes.ts";
