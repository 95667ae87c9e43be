import type { ContainerBlkioStats } from "@longshore/docker-api";

const none = null as never;

/** Block I/O of which nothing is known: Docker shows every list as null. */
export const noBlkio: ContainerBlkioStats = {
  io_service_bytes_recursive: none,
  io_serviced_recursive: none,
  io_queue_recursive: none,
  io_service_time_recursive: none,
  io_wait_time_recursive: none,
  io_merged_recursive: none,
  io_time_recursive: none,
  sectors_recursive: none,
};
