export { dockerPluginDirs, type PluginDirs } from "./discovery.ts";
export { type CallOptions, Plugin, PluginRefused } from "./plugin.ts";
export { Plugins } from "./plugins.ts";
