//  log.c: owns the daemon's log file.

#include "actors/services/log.h"

#include "actors/config.h"
#include "util/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

typedef struct {
    const config_t *config;
    char *path, *old_path;
    int fd; //  -1: it could not be opened
    uint64_t size, lost;
} log_t;

static int log_open (log_t *self, error_t *err)
{
    struct stat status;
    self->fd = open (self->path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (self->fd < 0)
        return error_errno (err, ERR_OPEN_FAILED, "open log '%s'", self->path);
    self->size = fstat (self->fd, &status) == 0 ? (uint64_t) status.st_size : 0;
    return 0;
}

static void log_close (log_t *self)
{
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
}

static int log_start (actor_t *self, const msg_t *args, error_t *err)
{
    log_t *log = actor_state (self);
    log->config = config_of (args);
    log->path = text_format ("%s/troupe.log", log->config->paths->log);
    log->old_path = text_format ("%s.1", log->path);
    return log_open (log, err);
}

static void log_stop (actor_t *self)
{
    log_t *log = actor_state (self);
    if (log->path) //  else it never started, and 0 is nobody's descriptor
        log_close (log);
    free (log->path);
    free (log->old_path);
}

//  A log that can't be moved away must not grow either: the line is lost, and counted.
static int log_rotate (log_t *self, error_t *err)
{
    if (rename (self->path, self->old_path))
        return error_errno (err, ERR_WRITE_FAILED, "rename log '%s' to '%s'", self->path,
                            self->old_path);
    log_close (self);
    return log_open (self, err);
}

static int log_write (log_t *self, const char *line, size_t size, error_t *err)
{
    if (self->fd < 0 && log_open (self, err))
        return -1;
    if (self->size > 0 && self->size + size > LOG_MAX_BYTES && log_rotate (self, err))
        return -1;
    const ssize_t count = write (self->fd, line, size);
    if (count < 0)
        return error_errno (err, ERR_WRITE_FAILED, "write log '%s'", self->path);
    self->size += (uint64_t) count;
    if ((size_t) count < size)
        return error_set (err, ERR_WRITE_FAILED, "write log '%s': only %zd of %zu bytes",
                          self->path, count, size);
    return 0;
}

//  "2026-07-01T09:30:00.123Z warning TEXT\n", on one line whatever TEXT has in it. The caller frees
//  it.
static char *format_line (int64_t time_us, log_level_t level, const char *text, size_t *size)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    const time_t seconds = (time_t) (time_us / 1000000);
    struct tm utc;
    char date[32];
    gmtime_r (&seconds, &utc);
    strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    char *line =
        text_format ("%s.%03dZ %s %s\n", date, (int) (time_us / 1000 % 1000), names[level], text);
    *size = strlen (line);
    for (size_t i = 0; i + 1 < *size; i++)
        if ((unsigned char) line[i] < ' ' || line[i] == 127)
            line[i] = ' ';
    return line;
}

static void to_stderr (const char *line, size_t size)
{
    (void) !write (STDERR_FILENO, line, size); //  there is no other place left to tell
}

static int write_lost (log_t *self, int64_t time_us, error_t *err)
{
    if (self->lost == 0)
        return 0;
    size_t size;
    autofree char *text = text_format (
        "%" PRIu64 " lines before the next one are missing: the log was not writable", self->lost);
    autofree char *line = format_line (time_us, LEVEL_WARNING, text, &size);
    if (log_write (self, line, size, err))
        return -1;
    self->lost = 0;
    return 0;
}

static void log_line (log_t *self, int64_t time_us, log_level_t level, const char *text)
{
    size_t size;
    error_t err;
    autofree char *line = format_line (time_us, level, text, &size);
    if (self->config->foreground)
        to_stderr (line, size);
    if (write_lost (self, time_us, &err) == 0 && log_write (self, line, size, &err) == 0)
        return;
    if (self->lost++ == 0) {
        autofree char *complaint = format_line (time_us, LEVEL_ERROR, err.message, &size);
        to_stderr (complaint, size);
    }
}

static void log_handle (actor_t *self, msg_t **msg_p)
{
    if (!msg_is (*msg_p, "log"))
        return;
    log_t *log = actor_state (self);
    auto(msg_t) msg = take (msg_p);
    const uint64_t level = msg_u64 (msg, "level", LEVEL_INFO);
    const char *text = msg_str (msg, "text");
    if (level <= (uint64_t) log->config->log_level && level <= LEVEL_DEBUG)
        log_line (log, msg_i64 (msg, "time_us", actor_wall_clock (self)), (log_level_t) level,
                  text ? text : "");
    auto(msg_t) done = msg_reply ();
    actor_reply (self, &msg, &done);
}

const actor_class_t log_class = { .kind = "log",
                                  .state_size = sizeof (log_t),
                                  .stop_rank = 3,
                                  .start = log_start,
                                  .handle = log_handle,
                                  .stop = log_stop };
