/* What the files of the addon share: argument reading, results, errors. */
#ifndef LONGSHORE_ADDON_H
#define LONGSHORE_ADDON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define NAPI_VERSION 8
#include <node_api.h>

/* One call from JavaScript. What is read with arg_string and friends lives until it returns. */
typedef struct call {
  napi_env env;
  size_t argc;
  napi_value argv[12];
  void *owned[48];
  int owned_count;
  bool failed; /* a JavaScript exception is pending: return at once */
} call;

typedef napi_value (*call_body)(call *);
napi_value call_run(napi_env env, napi_callback_info info, call_body body);

/* Declares the entry point `name` with its arguments read into `c`. */
#define METHOD(name)                                                     \
  static napi_value name##_body(call *c);                                \
  static napi_value name(napi_env env, napi_callback_info info) {        \
    return call_run(env, info, name##_body);                             \
  }                                                                      \
  static napi_value name##_body(call *c)

/* Readers throw a TypeError and set c->failed when the argument has another type. */
int64_t arg_int(call *c, size_t i);
uint64_t arg_bigint(call *c, size_t i);
bool arg_bool(call *c, size_t i);
char *arg_string(call *c, size_t i);
char *arg_optional_string(call *c, size_t i); /* NULL for null and undefined */
uint8_t *arg_bytes(call *c, size_t i, size_t *length);
char **arg_strings(call *c, size_t i); /* NULL-terminated */
int *arg_ints(call *c, size_t i, size_t *count);
void *call_alloc(call *c, size_t size);

napi_value result_int(call *c, int64_t value);
napi_value result_bytes(call *c, const void *data, size_t length);
napi_value result_string(call *c, const char *text);
napi_value result_object(call *c);
void set_int(call *c, napi_value object, const char *key, int64_t value);

/* An Error with code, errno, syscall, path and dest; the wording is that of Node's fs. */
napi_value errno_error(napi_env env, int error, const char *syscall, const char *path, const char *dest);
/* Throws one. */
napi_value throw_errno(call *c, int error, const char *syscall, const char *path, const char *dest);
void export_method(napi_env env, napi_value exports, const char *name, napi_callback callback);
const char *errno_name(int error);

/* Runs body on a thread that lives no longer, for what changes per-thread state of the kernel. */
int on_throwaway_thread(int (*body)(void *), void *data);

/* Starts a thread that nobody waits for. Signals belong to the runtime's own threads; it takes one at the most (0: none). */
int start_thread(void *(*body)(void *), void *data, size_t stack_bytes, int taken_signal);

void register_mount(napi_env env, napi_value exports);
void register_fs(napi_env env, napi_value exports);
void register_xattr(napi_env env, napi_value exports);
void register_namespaces(napi_env env, napi_value exports);
void register_process(napi_env env, napi_value exports);
void register_spawn(napi_env env, napi_value exports);
void register_console(napi_env env, napi_value exports);
void register_netlink(napi_env env, napi_value exports);
void register_notify(napi_env env, napi_value exports);
void register_remove_tree(napi_env env, napi_value exports);
void register_write_file(napi_env env, napi_value exports);
void register_relay(napi_env env, napi_value exports);
void register_forward(napi_env env, napi_value exports);
void register_log_records(napi_env env, napi_value exports);
void register_memory(napi_env env, napi_value exports);

#endif
