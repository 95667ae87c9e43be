import { constants } from "node:os";

export { parseSignal } from "@longshore/docker-spec";
export const { SIGKILL } = constants.signals;
