import type { EmitEvent, Volume, VolumeCreateOptions } from "@longshore/docker-api";
import { Exclusive } from "@longshore/concurrency";
import { acceptsLabels, type Filters } from "@longshore/list-filters";
import { filterInSlices } from "@longshore/patterns";
import type { VolumeStore } from "./contract.ts";
import { anonymousLabel } from "./names.ts";

/** What the routes of volumes do; a store does it, and tells of it in events. */
export interface VolumesBackend extends Pick<VolumeStore, "get" | "remove" | "usage"> {
  create(options: Partial<VolumeCreateOptions>): Promise<Volume>;
  /** @param filters `dangling`, `driver`, `label`, `name` */
  list(filters: Filters): Promise<{ volumes: Volume[]; warnings: string[] }>;
  /**
   * Removes unused volumes.
   * @param filters `label`, `label!`
   * @param all named ones, too
   * @throws Conflict while another prune is under way
   */
  prune(filters: Filters, all: boolean): Promise<{ deleted: string[]; reclaimed: number }>;
}

export function volumesBackend(volumes: VolumeStore, emit: EmitEvent): VolumesBackend {
  const prunes = new Exclusive("a prune operation");
  return {
    get: (name) => volumes.get(name),
    create: (options) => volumes.create(options),
    remove: (name, force) => volumes.remove(name, force),
    usage: () => volumes.usage(),
    async list(filters) {
      const dangling = filters.has("dangling") ? filters.bool("dangling", false) : undefined;
      const { volumes: all, warnings } = await volumes.list();
      const accepts = ({ Name, Driver, Labels }: Volume): boolean =>
        filters.exact("driver", Driver) &&
        filters.match("name", Name) &&
        filters.labels("label", Labels) &&
        (dangling === undefined || dangling === (volumes.references(Name).length === 0));
      return { volumes: await filterInSlices(all, accepts), warnings };
    },
    prune: (filters, all) =>
      prunes.run(async () => {
        const report = await volumes.prune(
          ({ Labels }) => (all || Object.hasOwn(Labels ?? {}, anonymousLabel)) && acceptsLabels(filters, Labels),
        );
        emit("volume", "prune", { ID: "", Attributes: { reclaimed: String(report.reclaimed) } });
        return report;
      }),
  };
}
