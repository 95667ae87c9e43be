/* Work on a thread of the runtime's pool, whose outcome is a promise. */
#ifndef LONGSHORE_JOB_H
#define LONGSHORE_JOB_H
#include "addon.h"

/* The first member of a calloc'ed struct with what the job needs; the struct is freed after `dispose`. */
struct job {
  void (*perform)(struct job *);
  napi_value (*result)(napi_env, struct job *); /* NULL: undefined */
  void (*dispose)(struct job *);
  const char *syscall;
  char *path; /* of the error, if any; freed with the job */
  int error;  /* an errno rejects the promise */
  napi_async_work work;
  napi_deferred deferred;
};

/* @return the promise */
napi_value run_job(call *c, struct job *job);

/* Gives back one that is not run. */
void free_job(struct job *job);

#endif
