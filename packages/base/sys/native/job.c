#include "job.h"

void free_job(struct job *job) {
  if (job->dispose) job->dispose(job);
  free(job->path);
  free(job);
}

static void perform(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  job->perform(job);
}

static void complete(napi_env env, napi_status status, void *data) {
  struct job *job = data;
  napi_value value;
  if (status == napi_ok && !job->error) {
    if (job->result) value = job->result(env, job);
    else napi_get_undefined(env, &value);
    napi_resolve_deferred(env, job->deferred, value);
  } else {
    napi_reject_deferred(env, job->deferred, errno_error(env, job->error ? job->error : ECANCELED, job->syscall, job->path, NULL));
  }
  napi_delete_async_work(env, job->work);
  free_job(job);
}

napi_value run_job(call *c, struct job *job) {
  napi_value name, promise;
  napi_create_string_utf8(c->env, job->syscall, NAPI_AUTO_LENGTH, &name);
  napi_create_promise(c->env, &job->deferred, &promise);
  napi_create_async_work(c->env, NULL, name, perform, complete, job, &job->work);
  napi_queue_async_work(c->env, job->work);
  return promise;
}
