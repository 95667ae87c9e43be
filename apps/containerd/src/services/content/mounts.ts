import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Mount } from "@longshore/metadata";
import type { Mount as MountMessage, MountSchema } from "@longshore/proto/containerd/types/types";

export function mountMessage({ type, source, target = "", options }: Mount): MessageInitShape<typeof MountSchema> {
  return { type, source, target, options };
}

export function mountOf({ type, source, target, options }: MountMessage): Mount {
  return { type, source, target, options };
}
