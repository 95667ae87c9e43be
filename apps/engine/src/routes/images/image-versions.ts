import type { ImageInspect, ImageSummary } from "@longshore/docker-api";
import type { FastifyRequest } from "fastify";
import { speaks } from "../../server/request.ts";

/** A list's entry as the API version of the request knows it. */
export function summaryFor(request: FastifyRequest, image: ImageSummary): object {
  const { Descriptor: _, ...older } = image;
  const isNameless = image.RepoTags.length === 0 && image.RepoDigests.length === 0;
  return {
    ...(speaks(request, "imageDescriptor") ? image : older),
    Containers: speaks(request, "imageListContainers") ? image.Containers : -1,
    ...(speaks(request, "imageListNameless") || !isNameless
      ? {}
      : { RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] }),
    ...(speaks(request, "withoutVirtualSize") ? {} : { VirtualSize: image.Size }),
  };
}

/** Members of a container's configuration that images once showed empty. */
const emptyMembers = {
  Hostname: "",
  Domainname: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: "",
};

/** An image as the API version of the request knows it. */
export function inspectFor(request: FastifyRequest, image: ImageInspect): object {
  const { Descriptor: _, ...older } = image;
  return {
    ...(speaks(request, "imageDescriptor") ? image : older),
    ...(speaks(request, "imageInspectBriefConfig") ? {} : { Config: { ...emptyMembers, ...image.Config } }),
    ...(speaks(request, "withoutVirtualSize") ? {} : { VirtualSize: image.Size }),
  };
}
