/* Files that are whole or absent: each one job, where Node would go to its threads for each call. */
#include "job.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
  struct job job; /* its path is the one that is replaced */
  char *temp;
  uint8_t *data;
  size_t length;
  mode_t mode;
  bool publish, durable;
};

static int write_all(int fd, const uint8_t *data, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, data, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    data += n;
    length -= (size_t)n;
  }
  return 0;
}

static int write_new(const struct file *file) {
  int fd = open(file->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file->mode);
  if (fd < 0) return errno;
  int error = write_all(fd, file->data, file->length);
  if (!error && file->durable && fsync(fd)) error = errno;
  /* Some file systems tell of a failed write only now. */
  if (close(fd) && !error) error = errno;
  if (error) unlink(file->temp);
  return error;
}

static int sync_parent(char *path) {
  char *slash = strrchr(path, '/');
  if (!slash) return EINVAL;
  *slash = 0;
  int fd = open(slash == path ? "/" : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  *slash = '/';
  if (fd < 0) return errno;
  int error = fsync(fd) ? errno : 0;
  close(fd);
  return error;
}

static void write_perform(struct job *job) {
  struct file *file = (struct file *)job;
  job->error = write_new(file);
  if (job->error || !file->publish) return;
  if (rename(file->temp, job->path)) {
    job->error = errno;
    unlink(file->temp);
  } else if (file->durable) job->error = sync_parent(job->path);
}

static void write_dispose(struct job *job) {
  struct file *file = (struct file *)job;
  free(file->temp);
  free(file->data);
}

/* writeFileWhole(temp, path, data, mode, publish, durable): a promise of its end. */
METHOD(sys_write_file_whole) {
  const char *temp = arg_string(c, 0), *path = arg_string(c, 1);
  size_t length = 0;
  const uint8_t *data = arg_bytes(c, 2, &length);
  mode_t mode = (mode_t)arg_int(c, 3);
  bool publish = arg_bool(c, 4), durable = arg_bool(c, 5);
  if (c->failed) return NULL;
  struct file *file = calloc(1, sizeof *file);
  if (!file) return throw_errno(c, ENOMEM, "write", path, NULL);
  *file = (struct file){.job = {.perform = write_perform, .dispose = write_dispose, .syscall = "write", .path = strdup(path)}, .temp = strdup(temp), .data = malloc(length + 1), .length = length, .mode = mode, .publish = publish, .durable = durable};
  if (!file->job.path || !file->temp || !file->data) {
    free_job(&file->job);
    return throw_errno(c, ENOMEM, "write", path, NULL);
  }
  memcpy(file->data, data, length);
  return run_job(c, &file->job);
}

struct renames {
  struct job job; /* its path is the last one */
  size_t count;
  char **from, **to;
};

static void renames_perform(struct job *job) {
  struct renames *r = (struct renames *)job;
  size_t done = 0;
  while (done < r->count && !job->error) {
    if (rename(r->from[done], r->to[done])) job->error = errno;
    else done++;
  }
  if (!job->error) job->error = sync_parent(job->path);
  else
    for (; done < r->count; done++) unlink(r->from[done]);
}

static void renames_dispose(struct job *job) {
  struct renames *r = (struct renames *)job;
  for (size_t i = 0; i < r->count; i++) {
    free(r->from[i]);
    free(r->to[i]);
  }
  free(r->from);
  free(r->to);
}

/* renameAll(from, to): files of one directory, in their order, which is then on the disk; a promise of its end. */
METHOD(sys_rename_all) {
  char **from = arg_strings(c, 0), **to = arg_strings(c, 1);
  if (c->failed) return NULL;
  size_t count = 0;
  while (from[count] && to[count]) count++;
  if (count == 0) return throw_errno(c, EINVAL, "rename", NULL, NULL);
  struct renames *r = calloc(1, sizeof *r);
  if (!r) return throw_errno(c, ENOMEM, "rename", to[0], NULL);
  *r = (struct renames){.job = {.perform = renames_perform, .dispose = renames_dispose, .syscall = "rename", .path = strdup(to[count - 1])}, .count = count, .from = calloc(count, sizeof(char *)), .to = calloc(count, sizeof(char *))};
  bool whole = r->job.path && r->from && r->to;
  for (size_t i = 0; i < count && whole; i++) whole = (r->from[i] = strdup(from[i])) && (r->to[i] = strdup(to[i]));
  if (whole) return run_job(c, &r->job);
  if (!r->from || !r->to) r->count = 0;
  free_job(&r->job);
  return throw_errno(c, ENOMEM, "rename", to[0], NULL);
}

void register_write_file(napi_env env, napi_value exports) {
  export_method(env, exports, "writeFileWhole", sys_write_file_whole);
  export_method(env, exports, "renameAll", sys_rename_all);
}
