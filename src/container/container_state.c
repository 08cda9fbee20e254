//  container_state.c: what the daemon asks a supervisor to do, and what becomes of init.

#include "container/container_state.h"
#include "container/container_ask.h"
#include "container/container_disk.h"
#include "container/container_idmap.h"
#include "container/container_network.h"
#include "container/container_share.h"
#include "container/container_signal.h"
#include "util/auto.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static json_t *refuse (error_t *err, const char *what, const char *why)
{
    error_set (err, ERR_OPERATION_INVALID, "%s the container: %s", what, why);
    return NULL;
}

static json_t *describe_end (const container_t *self)
{
    return json_pack ("{s:s, s:i, s:b, s:s}", "how", self->how, "code", self->code, "shutdown",
                      self->wish == WISH_SHUTDOWN, "error", self->failure.message);
}

static json_t *describe_consoles (const container_t *self)
{
    json_t *consoles = json_array ();
    for (size_t i = 0; i < self->console_count; i++)
        json_array_append_new (consoles, json_pack ("{s:s, s:s}", "alias", self->spec.consoles[i],
                                                    "path", self->consoles[i].path));
    return consoles;
}

static json_t *query (const container_t *self)
{
    static const char *const stages[] = { "none", "created", "running", "ended" };
    json_t *answer = json_pack ("{s:s, s:o}", "state", stages[self->stage], "consoles",
                                describe_consoles (self));
    if (self->init.pid) {
        char identity[PROCESS_TEXT_SIZE];
        process_to_text (&self->init.identity, identity);
        json_object_set_new (answer, "init", json_string (identity));
    }
    if (self->stage == CONTAINER_ENDED) {
        json_t *end = describe_end (self);
        json_object_update (answer, end);
        json_decref (end);
    }
    return answer;
}

static int open_consoles (container_t *self, error_t *err)
{
    for (; self->spec.consoles[self->console_count]; self->console_count++)
        if (container_console_open (&self->consoles[self->console_count], self->watcher, err))
            return -1;
    return 0;
}

static int start_init (container_t *self, error_t *err)
{
    if (container_init_create (&self->init, &self->spec, self->user, err))
        return -1;
    for (size_t i = 0; i < self->console_count; i++)
        container_console_plug (&self->consoles[i], self->init.masters[i], self->init.slaves[i]);
    return 0;
}

//  The namespaces that stay while the container reboots.
static int make_namespaces (container_t *self, error_t *err)
{
    if ((self->spec.network && container_given_open (&self->given, err)) ||
        container_share_enter (&self->spec, err))
        return -1;
    if (!*self->spec.uid_map)
        return self->spec.network ? container_network_make (err) : 0;
    self->user = container_idmap_make (&self->spec, err);
    return self->user < 0 ? -1 : 0;
}

//  What fails leaves nothing that matters: the daemon ends a supervisor that could not do it.
static json_t *create (container_t *self, const json_t *arguments, error_t *err)
{
    autofree char *copy = json_dumps (arguments, 0);
    json_t *json = copy ? json_loads (copy, 0, NULL) : NULL;
    if (self->stage != CONTAINER_NONE || self->spec.json)
        return refuse (err, "create", "it was created before");
    int rc = container_spec_read (&self->spec, json, err);
    json_decref (json);
    if (rc || container_disks_open (&self->spec, err) || make_namespaces (self, err) ||
        open_consoles (self, err) || start_init (self, err))
        return NULL;
    self->stage = CONTAINER_CREATED;
    return query (self);
}

static json_t *run (container_t *self, error_t *err)
{
    if (self->stage == CONTAINER_ENDED)
        return refuse (err, "start", "somebody ended its init before it could execute its program");
    if (self->stage != CONTAINER_CREATED)
        return refuse (err, "start", "it does not wait for that");
    container_given_note (&self->given, &self->spec);
    if (container_network_up (&self->spec, true, err) ||
        container_init_run (&self->init, &self->spec, err))
        return NULL;
    self->stage = CONTAINER_RUNNING;
    return query (self);
}

//  After its end.
static json_t *again (container_t *self, error_t *err)
{
    if (self->stage != CONTAINER_ENDED)
        return refuse (err, "start", "it has not ended");
    self->wish = WISH_NONE;
    if (container_network_up (&self->spec, false, err) || start_init (self, err) ||
        container_init_run (&self->init, &self->spec, err))
        return NULL;
    self->stage = CONTAINER_RUNNING;
    return query (self);
}

static json_t *ask (container_t *self, container_wish_t wish, const json_t *arguments, error_t *err)
{
    const char *mode = json_string_value (json_object_get (arguments, "mode"));
    if (self->stage != CONTAINER_RUNNING)
        return refuse (err, "ask", "it does not run");
    container_wish_t before = self->wish;
    self->wish = wish;
    if (container_ask (&self->init, mode, wish == WISH_REBOOT, err) == 0)
        return json_object ();
    self->wish = before;
    return NULL;
}

//  ARGV comes from the daemon: a list of texts, not empty.
static json_t *let_in (container_t *self, const json_t *arguments, error_t *err)
{
    json_t *argv = json_object_get (arguments, "argv");
    if (self->stage != CONTAINER_RUNNING)
        return refuse (err, "enter", "it does not run");
    if (json_array_size (argv) == 0)
        return refuse (err, "enter", "there is no program to be run");
    const char *ticket = container_entrance_ticket (&self->entrance, argv, err);
    return ticket ? json_pack ("{s:s}", "ticket", ticket) : NULL;
}

static json_t *send_signal (container_t *self, const json_t *arguments, error_t *err)
{
    json_int_t pid = json_integer_value (json_object_get (arguments, "pid"));
    json_int_t number = json_integer_value (json_object_get (arguments, "number"));
    if (self->stage != CONTAINER_RUNNING)
        return refuse (err, "signal", "it does not run");
    if (pid < 1 || pid > INT_MAX || number < 0 || number > NSIG)
        return refuse (err, "signal", "there is no such process or signal");
    return container_signal (self->init.pid, (pid_t) pid, (int) number, err) ? NULL
                                                                             : json_object ();
}

json_t *container_command (void *arg, const char *name, const json_t *arguments, error_t *err)
{
    container_t *self = arg;
    if (strcmp (name, "create") == 0)
        return create (self, arguments, err);
    if (strcmp (name, "run") == 0)
        return run (self, err);
    if (strcmp (name, "restart") == 0)
        return again (self, err);
    if (strcmp (name, "query") == 0)
        return query (self);
    if (strcmp (name, "shutdown") == 0)
        return ask (self, WISH_SHUTDOWN, arguments, err);
    if (strcmp (name, "reboot") == 0)
        return ask (self, WISH_REBOOT, arguments, err);
    if (strcmp (name, "enter") == 0)
        return let_in (self, arguments, err);
    if (strcmp (name, "signal") == 0)
        return send_signal (self, arguments, err);
    error_set (err, ERR_NO_SUPPORT, "the supervisor has no command '%.64s'", name);
    return NULL;
}

//  In a pid namespace reboot(2) ends init as if by these signals (pid_namespaces(7)).
static void note_end (container_t *self, int status)
{
    self->code = WIFEXITED (status) ? WEXITSTATUS (status) : WTERMSIG (status);
    self->how = WIFEXITED (status)     ? "exit"
                : self->code == SIGHUP ? "reboot"
                : self->code == SIGINT ? "halt"
                                       : "signal";
}

static void tell_end (container_t *self)
{
    self->stage = CONTAINER_ENDED;
    printf ("init ended: %s %d%s%s\n", self->how, self->code, *self->failure.message ? ": " : "",
            self->failure.message);
    fflush (stdout);
    container_monitor_event (&self->monitor, "ENDED", describe_end (self));
}

static void restart (container_t *self)
{
    char identity[PROCESS_TEXT_SIZE];
    self->wish = WISH_NONE;
    if (container_network_up (&self->spec, false, &self->failure) ||
        start_init (self, &self->failure) ||
        container_init_run (&self->init, &self->spec, &self->failure)) {
        self->how = "failed";
        tell_end (self);
        return;
    }
    self->failure = (error_t){ 0 };
    process_to_text (&self->init.identity, identity);
    printf ("rebooted: init is %s\n", identity);
    fflush (stdout);
    container_monitor_event (&self->monitor, "REBOOTED", json_pack ("{s:s}", "init", identity));
}

static void end_init (container_t *self, int status)
{
    self->init.pid = 0;
    container_init_end (&self->init);
    for (size_t i = 0; i < self->console_count; i++)
        container_console_plug (&self->consoles[i], -1, -1);
    note_end (self, status);
    bool again =
        self->wish == WISH_REBOOT || (self->wish == WISH_NONE && strcmp (self->how, "reboot") == 0);
    if (again && self->spec.restart && self->stage == CONTAINER_RUNNING)
        restart (self);
    else
        tell_end (self);
}

void container_reap (container_t *self)
{
    int status;
    pid_t pid;
    while ((pid = waitpid (-1, &status, WNOHANG)) > 0) {
        container_entrance_ended (&self->entrance, pid, status);
        if (pid == self->init.pid)
            end_init (self, status);
    }
}
