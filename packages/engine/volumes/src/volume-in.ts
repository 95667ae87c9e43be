import { isKind, messageOf, NotFound, Unknown } from "@longshore/errdefs";
import type { DriverVolume, VolumeDriver } from "./drivers/driver.ts";

/** @throws NotFound `get x: no such volume`, or why the driver cannot tell */
export async function volumeIn(driver: VolumeDriver, name: string): Promise<DriverVolume> {
  try {
    return await driver.get(name, { retry: false });
  } catch (error) {
    throw absent(name, driver.name, error);
  }
}

/** A driver's answer for a volume in the words of `get`. */
export function absent(name: string, driver: string, error: unknown): NotFound | Unknown {
  if (isKind(error, "NotFound") && messageOf(error) === "no such volume")
    return new NotFound(`get ${name}: no such volume`, { cause: error });
  return new Unknown(`get ${name}: ${unchecked(name, driver, error)}`, { cause: error });
}

/** Why it cannot be told whether a driver has a volume. */
export function unchecked(name: string, driver: string, error: unknown): string {
  return `error while checking if volume ${JSON.stringify(name)} exists in driver ${JSON.stringify(driver)}: ${messageOf(error)}`;
}
