import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { type Adaptor, type Filter, mapField, parseAll } from "@longshore/filters";
import type { Container, Image, Labels, SnapshotInfo } from "../contract.ts";

/** The filters of a records' list call, whose error containerd wraps once more. @throws InvalidArgument */
export function recordFilters(filters: readonly string[]): Filter {
  try {
    return parseAll(filters);
  } catch (error) {
    throw new InvalidArgument(`${messageOf(error)}: invalid argument`, { cause: error });
  }
}

export function imageAdaptor({ name, target, labels }: Image): Adaptor {
  return ([field, ...rest]) => {
    switch (field) {
      case "name":
        return name || undefined;
      case "target":
        if (rest[0] === "digest") return target.digest || undefined;
        return rest[0] === "mediatype" ? target.mediaType || undefined : undefined;
      case "labels":
        return mapField(labels, rest);
      case "annotations":
        return mapField(target.annotations, rest);
      default:
        return undefined;
    }
  };
}

export function containerAdaptor({ id, image, runtime, labels }: Container): Adaptor {
  return ([field, ...rest]) => {
    switch (field) {
      case "id":
        return id || undefined;
      case "image":
        return image || undefined;
      case "runtime":
        return rest[0] === "name" ? runtime.name || undefined : undefined;
      case "labels":
        return mapField(labels, rest);
      default:
        return undefined;
    }
  };
}

/** For objects with labels and one field that names them. */
export function labeledAdaptor(field: string, name: string, labels: Labels): Adaptor {
  return ([first = "", ...rest]) => {
    if (first === field) return name || undefined;
    return first === "labels" ? mapField(labels, rest) : undefined;
  };
}

export function snapshotAdaptor({ name, parent, kind, labels }: SnapshotInfo): Adaptor {
  return ([field, ...rest]) => {
    switch (field) {
      case "kind":
        return kind;
      case "name":
        return name || undefined;
      case "parent":
        // Present even when there is none, as in containerd.
        return parent;
      case "labels":
        return mapField(labels, rest);
      default:
        return undefined;
    }
  };
}
