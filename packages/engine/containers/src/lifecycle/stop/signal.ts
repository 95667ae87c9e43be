import { constants } from "node:os";

export const { SIGKILL } = constants.signals;
