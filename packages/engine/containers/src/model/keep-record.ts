import { messageOf } from "@longshore/errdefs";
import type { Container } from "./container.ts";
import type { Context } from "./context.ts";

/**
 * Writes the record of a container whose state has changed already, so that an error would come too late: it is
 * logged, and `removeLeftovers` writes the record when the disk takes it again.
 * @returns whether it is on the disk
 */
export async function keepRecord(context: Context, container: Container): Promise<boolean> {
  try {
    await container.save();
    return true;
  } catch (error) {
    context.log.error(
      { err: error, container: container.id },
      `the record of container ${container.id} cannot be written: ${messageOf(error)}`,
    );
    return false;
  }
}
