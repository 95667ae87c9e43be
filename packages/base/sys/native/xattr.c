/* Extended attributes of a path itself, symbolic links not followed. */
#include "addon.h"

#include <sys/xattr.h>

METHOD(sys_lgetxattr) {
  const char *path = arg_string(c, 0), *name = arg_string(c, 1);
  while (!c->failed) {
    ssize_t size = lgetxattr(path, name, NULL, 0);
    if (size < 0) return throw_errno(c, errno, "lgetxattr", path, NULL);
    char *value = call_alloc(c, (size_t)size);
    if (!value) break;
    ssize_t n = size ? lgetxattr(path, name, value, (size_t)size) : 0;
    if (n >= 0) return result_bytes(c, value, (size_t)n);
    if (errno != ERANGE) return throw_errno(c, errno, "lgetxattr", path, NULL); /* ERANGE: it grew in between */
  }
  return NULL;
}

METHOD(sys_lsetxattr) {
  size_t size;
  const char *path = arg_string(c, 0), *name = arg_string(c, 1);
  const uint8_t *value = arg_bytes(c, 2, &size);
  int flags = (int)arg_int(c, 3);
  if (c->failed) return NULL;
  return lsetxattr(path, name, value, size, flags) ? throw_errno(c, errno, "lsetxattr", path, NULL) : NULL;
}

METHOD(sys_llistxattr) {
  const char *path = arg_string(c, 0);
  while (!c->failed) {
    ssize_t size = llistxattr(path, NULL, 0);
    if (size < 0) return throw_errno(c, errno, "llistxattr", path, NULL);
    char *names = call_alloc(c, (size_t)size);
    if (!names) break;
    ssize_t n = size ? llistxattr(path, names, (size_t)size) : 0;
    if (n >= 0) return result_bytes(c, names, (size_t)n);
    if (errno != ERANGE) return throw_errno(c, errno, "llistxattr", path, NULL);
  }
  return NULL;
}

METHOD(sys_lremovexattr) {
  const char *path = arg_string(c, 0), *name = arg_string(c, 1);
  if (c->failed) return NULL;
  return lremovexattr(path, name) ? throw_errno(c, errno, "lremovexattr", path, NULL) : NULL;
}

void register_xattr(napi_env env, napi_value exports) {
  export_method(env, exports, "lgetxattr", sys_lgetxattr);
  export_method(env, exports, "lsetxattr", sys_lsetxattr);
  export_method(env, exports, "llistxattr", sys_llistxattr);
  export_method(env, exports, "lremovexattr", sys_lremovexattr);
}
