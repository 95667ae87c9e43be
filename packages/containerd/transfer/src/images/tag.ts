import type { Image } from "@longshore/metadata";
import type { ImageDestination, TransferCall } from "../contract.ts";
import type { Environment } from "../environment.ts";
import { storedNames } from "./image-names.ts";
import { storeImage } from "./store-image.ts";

/** Gives an image further names. @throws NotFound */
export async function tag(
  environment: Environment,
  source: string,
  destination: ImageDestination,
  call: TransferCall,
): Promise<Image[]> {
  const { images } = environment.open(call);
  const { target } = await images.get(source);
  return storeImage(images, storedNames(target, destination), target, destination.labels);
}
