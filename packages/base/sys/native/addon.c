/* Entry point of the addon, and the bridge between N-API values and C. */
#include "addon.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

napi_value call_run(napi_env env, napi_callback_info info, call_body body) {
  call c = {.env = env, .argc = sizeof c.argv / sizeof *c.argv};
  if (napi_get_cb_info(env, info, &c.argc, c.argv, NULL, NULL) != napi_ok) return NULL;
  napi_value result = body(&c);
  for (int i = 0; i < c.owned_count; i++) free(c.owned[i]);
  return c.failed ? NULL : result;
}

static void fail_type(call *c, size_t i, const char *wanted) {
  if (c->failed) return;
  char message[96];
  snprintf(message, sizeof message, "argument %zu must be %s", i + 1, wanted);
  napi_throw_type_error(c->env, "ERR_INVALID_ARG_TYPE", message);
  c->failed = true;
}

void *call_alloc(call *c, size_t size) {
  void *p = c->owned_count < (int)(sizeof c->owned / sizeof *c->owned) ? calloc(1, size ? size : 1) : NULL;
  if (!p) {
    if (!c->failed) napi_throw_error(c->env, "ENOMEM", "ENOMEM: out of memory");
    c->failed = true;
    return NULL;
  }
  c->owned[c->owned_count++] = p;
  return p;
}

int64_t arg_int(call *c, size_t i) {
  int64_t value = 0;
  if (i >= c->argc || napi_get_value_int64(c->env, c->argv[i], &value) != napi_ok) fail_type(c, i, "a number");
  return value;
}

uint64_t arg_bigint(call *c, size_t i) {
  int64_t value = 0;
  bool lossless;
  if (i >= c->argc || napi_get_value_bigint_int64(c->env, c->argv[i], &value, &lossless) != napi_ok) fail_type(c, i, "a bigint");
  return (uint64_t)value;
}

bool arg_bool(call *c, size_t i) {
  bool value = false;
  if (i >= c->argc || napi_get_value_bool(c->env, c->argv[i], &value) != napi_ok) fail_type(c, i, "a boolean");
  return value;
}

/* A NUL inside would silently name another object to the kernel, so it is refused. */
static char *read_string(call *c, napi_value value, size_t i) {
  size_t length = 0;
  void *bytes;
  bool is_buffer = false;
  /* names that are not UTF-8 come as buffers */
  if (napi_is_buffer(c->env, value, &is_buffer) == napi_ok && is_buffer && napi_get_buffer_info(c->env, value, &bytes, &length) == napi_ok) {
    char *copy = memchr(bytes, 0, length) ? NULL : strndup(bytes, length);
    if (!copy) fail_type(c, i, "a path without NUL");
    return copy;
  }
  if (napi_get_value_string_utf8(c->env, value, NULL, 0, &length) != napi_ok) {
    fail_type(c, i, "a string");
    return "";
  }
  char *text = malloc(length + 1);
  if (!text || napi_get_value_string_utf8(c->env, value, text, length + 1, &length) != napi_ok || strlen(text) != length) {
    free(text);
    fail_type(c, i, "a string without NUL");
    return NULL;
  }
  return text;
}

static char *own(call *c, char *text) {
  if (!text || c->failed) return "";
  if (c->owned_count == (int)(sizeof c->owned / sizeof *c->owned)) {
    free(text);
    napi_throw_error(c->env, "E2BIG", "E2BIG: too many arguments");
    c->failed = true;
    return "";
  }
  c->owned[c->owned_count++] = text;
  return text;
}

char *arg_string(call *c, size_t i) {
  if (i >= c->argc) {
    fail_type(c, i, "a string");
    return "";
  }
  char *text = read_string(c, c->argv[i], i);
  return c->failed ? "" : own(c, text);
}

char *arg_optional_string(call *c, size_t i) {
  napi_valuetype type = napi_undefined;
  if (i < c->argc) napi_typeof(c->env, c->argv[i], &type);
  return type == napi_undefined || type == napi_null ? NULL : arg_string(c, i);
}

uint8_t *arg_bytes(call *c, size_t i, size_t *length) {
  void *data = NULL;
  napi_typedarray_type type;
  size_t count = 0;
  if (i >= c->argc || napi_get_typedarray_info(c->env, c->argv[i], &type, &count, &data, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    fail_type(c, i, "a Uint8Array");
    count = 0;
  }
  *length = count;
  return data;
}

char **arg_strings(call *c, size_t i) {
  uint32_t count = 0;
  if (i >= c->argc || napi_get_array_length(c->env, c->argv[i], &count) != napi_ok) {
    fail_type(c, i, "an array of strings");
    return NULL;
  }
  size_t size = 0;
  for (uint32_t k = 0; k < count; k++) {
    napi_value element;
    size_t length = 0;
    if (napi_get_element(c->env, c->argv[i], k, &element) != napi_ok || napi_get_value_string_utf8(c->env, element, NULL, 0, &length) != napi_ok) {
      fail_type(c, i, "an array of strings");
      return NULL;
    }
    size += length + 1;
  }
  char **list = call_alloc(c, (count + 1) * sizeof *list + size);
  if (!list) return NULL;
  char *text = (char *)(list + count + 1);
  for (uint32_t k = 0; k < count; k++) {
    napi_value element;
    size_t length = 0;
    napi_get_element(c->env, c->argv[i], k, &element);
    napi_get_value_string_utf8(c->env, element, text, size, &length);
    if (strlen(text) != length) {
      fail_type(c, i, "an array of strings without NUL");
      return NULL;
    }
    list[k] = text;
    text += length + 1;
    size -= length + 1;
  }
  return list;
}

int *arg_ints(call *c, size_t i, size_t *count) {
  uint32_t length = 0;
  *count = 0;
  if (i >= c->argc || napi_get_array_length(c->env, c->argv[i], &length) != napi_ok) {
    fail_type(c, i, "an array of numbers");
    return NULL;
  }
  int *list = call_alloc(c, length * sizeof *list);
  for (uint32_t k = 0; list && k < length; k++) {
    napi_value element;
    int32_t value = 0;
    if (napi_get_element(c->env, c->argv[i], k, &element) != napi_ok || napi_get_value_int32(c->env, element, &value) != napi_ok) {
      fail_type(c, i, "an array of numbers");
      return NULL;
    }
    list[k] = value;
  }
  *count = length;
  return list;
}

napi_value result_int(call *c, int64_t value) {
  napi_value result = NULL;
  napi_create_int64(c->env, value, &result);
  return result;
}

napi_value result_bytes(call *c, const void *data, size_t length) {
  napi_value result = NULL;
  napi_create_buffer_copy(c->env, length, data, NULL, &result);
  return result;
}

napi_value result_string(call *c, const char *text) {
  napi_value result = NULL;
  napi_create_string_utf8(c->env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

napi_value result_object(call *c) {
  napi_value result = NULL;
  napi_create_object(c->env, &result);
  return result;
}

static void set_string(napi_env env, napi_value object, const char *key, const char *value) {
  napi_value text;
  if (napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &text) == napi_ok) napi_set_named_property(env, object, key, text);
}

void set_int(call *c, napi_value object, const char *key, int64_t value) {
  napi_value number;
  if (napi_create_int64(c->env, value, &number) == napi_ok) napi_set_named_property(c->env, object, key, number);
}

const char *errno_name(int error) {
  const char *name = strerrorname_np(error);
  return name ? name : "EUNKNOWN";
}

napi_value errno_error(napi_env env, int error, const char *syscall, const char *path, const char *dest) {
  const char *name = errno_name(error);
  const char *text = strerrordesc_np(error);
  size_t size = 128 + strlen(syscall) + (path ? strlen(path) : 0) + (dest ? strlen(dest) : 0);
  napi_value code, text_value, object, number;
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code);
  char *message = malloc(size);
  if (message) {
    int n = snprintf(message, size, "%s: %s, %s", name, text ? text : "unknown error", syscall);
    /* Node writes the description in lower case */
    char *first = message + strlen(name) + 2;
    if (first[0] >= 'A' && first[0] <= 'Z' && first[1] >= 'a') first[0] += 'a' - 'A';
    if (path) n += snprintf(message + n, size - (size_t)n, " '%s'", path);
    if (dest) snprintf(message + n, size - (size_t)n, " -> '%s'", dest);
  }
  napi_create_string_utf8(env, message ? message : name, NAPI_AUTO_LENGTH, &text_value);
  free(message);
  napi_create_error(env, code, text_value, &object);
  napi_create_int32(env, -error, &number);
  napi_set_named_property(env, object, "errno", number);
  set_string(env, object, "syscall", syscall);
  if (path) set_string(env, object, "path", path);
  if (dest) set_string(env, object, "dest", dest);
  return object;
}

napi_value throw_errno(call *c, int error, const char *syscall, const char *path, const char *dest) {
  if (c->failed) return NULL;
  c->failed = true;
  napi_throw(c->env, errno_error(c->env, error, syscall, path, dest));
  return NULL;
}

struct thread_task {
  int (*body)(void *);
  void *data;
  int result;
};

static void *thread_main(void *data) {
  struct thread_task *task = data;
  task->result = task->body(task->data);
  return NULL;
}

int on_throwaway_thread(int (*body)(void *), void *data) {
  struct thread_task task = {body, data, 0};
  pthread_t thread;
  int error = pthread_create(&thread, NULL, thread_main, &task);
  if (error) return error;
  pthread_join(thread, NULL);
  return task.result;
}

int start_thread(void *(*body)(void *), void *data, size_t stack_bytes, int taken_signal) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t blocked, old;
  sigfillset(&blocked);
  if (taken_signal) sigdelset(&blocked, taken_signal);
  pthread_sigmask(SIG_SETMASK, &blocked, &old);
  pthread_t thread;
  int error = pthread_create(&thread, &attributes, body, data);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

void export_method(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok) napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  register_mount(env, exports);
  register_fs(env, exports);
  register_xattr(env, exports);
  register_namespaces(env, exports);
  register_process(env, exports);
  register_log_records(env, exports);
  register_memory(env, exports);
  register_spawn(env, exports);
  register_console(env, exports);
  register_netlink(env, exports);
  register_notify(env, exports);
  register_remove_tree(env, exports);
  register_write_file(env, exports);
  register_relay(env, exports);
  register_forward(env, exports);
  return exports;
}
