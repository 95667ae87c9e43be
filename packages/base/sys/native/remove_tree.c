/* Removing a directory with all that it holds: one job, where each entry would be several of Node's. */
#include "job.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So often a directory is looked through; somebody else may fill it meanwhile. */
enum { MOST_PASSES = 16 };

static int remove_entry(int dir, const char *name);

/* Removes what `fd` holds and closes it. */
static int remove_content(int fd) {
  DIR *entries = fdopendir(fd);
  if (!entries) {
    int error = errno;
    close(fd);
    return error;
  }
  int error = 0;
  struct dirent *entry;
  while (!error && (errno = 0, entry = readdir(entries))) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") && strcmp(name, "..")) error = remove_entry(fd, name);
  }
  if (!entry && !error) error = errno;
  closedir(entries);
  return error;
}

/* Never follows a link, and never goes into what is mounted there: that is somebody's, and EXDEV. */
static int remove_entry(int dir, const char *name) {
  if (!unlinkat(dir, name, 0) || errno == ENOENT) return 0;
  if (errno != EISDIR) return errno;
  /* Most directories of a snapshot are empty. */
  if (!unlinkat(dir, name, AT_REMOVEDIR) || errno == ENOENT) return 0;
  /* A file system may leave entries out while others are removed: what is left then is looked for again. */
  for (int pass = 0; pass < MOST_PASSES && (errno == ENOTEMPTY || errno == EEXIST); pass++) {
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
    if (fd < 0) return errno == ENOENT ? 0 : errno;
    int error = remove_content(fd);
    if (error) return error;
    if (!unlinkat(dir, name, AT_REMOVEDIR) || errno == ENOENT) return 0;
  }
  return errno;
}

static void perform(struct job *job) {
  char *slash = strrchr(job->path, '/');
  if (!slash || slash == job->path) {
    job->error = EINVAL;
    return;
  }
  /* What leads there may have links and mounts. */
  *slash = 0;
  int parent = open(job->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  *slash = '/';
  if (parent < 0) {
    job->error = errno == ENOENT ? 0 : errno;
    return;
  }
  job->error = remove_entry(parent, slash + 1);
  close(parent);
}

/* removeTree(path): a promise of its end. */
METHOD(sys_remove_tree) {
  const char *path = arg_string(c, 0);
  if (c->failed) return NULL;
  struct job *job = calloc(1, sizeof *job);
  char *copy = strdup(path);
  if (!job || !copy) {
    free(job);
    free(copy);
    return throw_errno(c, ENOMEM, "rm", path, NULL);
  }
  *job = (struct job){.perform = perform, .syscall = "rm", .path = copy};
  return run_job(c, job);
}

void register_remove_tree(napi_env env, napi_value exports) { export_method(env, exports, "removeTree", sys_remove_tree); }
