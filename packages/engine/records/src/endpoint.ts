import { type EndpointSettings, endpointSettingsShape, type PortMap, portMapShape } from "@longshore/docker-api";
import { fieldsOf, readerOf } from "./of-shape.ts";
import { type Fields, integer, mapOf, optional, type Reader, record } from "./readers.ts";

const bits = integer({ min: 0, max: 128 });

export const endpointFields: Fields<EndpointSettings> = fieldsOf(endpointSettingsShape.fields, {
  IPPrefixLen: bits,
  GlobalIPv6PrefixLen: bits,
});

export const portMap: Reader<PortMap> = mapOf(readerOf(portMapShape.element));

/** Settings that were asked for: what is not named was not. */
export const requestedEndpoint: Reader<Partial<EndpointSettings>> = record(
  Object.fromEntries(
    Object.entries(endpointFields).map(([name, read]) => [name, optional(read as Reader<unknown>)]),
  ) as Fields<Partial<EndpointSettings>>,
);
