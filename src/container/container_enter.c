//  container_enter.c: who comes with a ticket, and what becomes of the program.

#include "container/container_enter.h"
#include "util/auto.h"
#include "util/descriptors.h"
#include "util/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>

void container_entrance_open (container_entrance_t *self, int listener)
{
    *self = (container_entrance_t){ .listener = listener };
    for (size_t i = 0; i < CONTAINER_VISITS_MAX; i++)
        self->visits[i].fd = -1;
}

const char *container_entrance_ticket (container_entrance_t *self, json_t *argv, error_t *err)
{
    unsigned char random[(CONTAINER_TICKET_SIZE - 1) / 2];
    container_ticket_t *ticket = &self->tickets[self->next];
    if (getrandom (random, sizeof random, 0) != (ssize_t) sizeof random) {
        error_errno (err, ERR_SYSTEM_ERROR, "make a ticket for the container");
        return NULL;
    }
    self->next = (self->next + 1) % CONTAINER_VISITS_MAX;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf (ticket->text + 2 * i, 3, "%02x", random[i]);
    json_decref (ticket->argv);
    ticket->argv = json_incref (argv);
    return ticket->text;
}

//  The caller releases it. NULL: no such ticket was given, or it was used.
static json_t *use_ticket (container_entrance_t *self, const char *text)
{
    for (size_t i = 0; text && i < CONTAINER_VISITS_MAX; i++) {
        container_ticket_t *ticket = &self->tickets[i];
        if (!*ticket->text || strcmp (ticket->text, text) != 0)
            continue;
        json_t *argv = ticket->argv;
        *ticket = (container_ticket_t){ 0 };
        return argv;
    }
    return NULL;
}

static void leave (container_visit_t *visit)
{
    close (visit->fd);
    *visit = (container_visit_t){ .fd = -1 };
}

//  Who does not read it has gone, or will be told nothing.
static void tell (const container_visit_t *visit, const char *line)
{
    (void) !send (visit->fd, line, strlen (line), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void refuse (container_visit_t *visit, const char *why)
{
    autofree char *line = text_format ("error %s\n", why);
    tell (visit, line);
    leave (visit);
}

//  Which of its three are to be a terminal: those that did not come.
static int take_request (container_entrance_t *self, const char *text, const int *came,
                         size_t count, container_program_t *program, json_t **argv)
{
    char ticket[CONTAINER_TICKET_SIZE], terminal[4];
    size_t used = 0;
    if (sscanf (text, "%32s %3[01]\n", ticket, terminal) != 2 || strlen (terminal) != 3)
        return -1;
    for (int i = 0; i < 3; i++) {
        if (terminal[i] == '0' && used == count)
            return -1;
        program->fds[i] = terminal[i] == '1' ? -1 : came[used++];
    }
    *argv = use_ticket (self, ticket);
    return *argv ? 0 : -1;
}

static const char **list_of (const json_t *array)
{
    const json_t *item;
    size_t i;
    const char **list = memory_new (json_array_size (array) + 1, sizeof *list);
    json_array_foreach (array, i, item) list[i] = json_string_value (item);
    return list;
}

static void admit (container_entrance_t *self, container_visit_t *visit,
                   container_program_t *program, const char *text, const int *came, size_t count)
{
    error_t err;
    json_auto_t *argv = NULL;
    if (take_request (self, text, came, count, program, &argv)) {
        refuse (visit, "enter the container: there is no such ticket; ask the daemon for one");
        return;
    }
    if (!program->init) {
        refuse (visit, "enter the container: it does not run");
        return;
    }
    autofree const char **list = list_of (argv);
    program->argv = list;
    program->control = visit->fd;
    visit->pid = container_program_run (program, &err);
    if (visit->pid < 0)
        refuse (visit, err.message);
}

//  Its request, which came as one; or the end of who asked, and then the program is left as by a
//  terminal that is closed.
static void read_visit (container_entrance_t *self, container_visit_t *visit,
                        const container_spec_t *spec, pid_t init)
{
    char text[512];
    int came[3];
    size_t count;
    container_program_t program = { .spec = spec, .init = init };
    ssize_t size =
        descriptors_receive (visit->fd, text, sizeof text, came, 3, &count, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN)
        return;
    if (visit->pid) {
        kill (visit->pid, SIGHUP); //  not reaped yet: the pid is its own
        leave (visit);
    } else if (size <= 0)
        leave (visit);
    else
        admit (self, visit, &program, text, came, count);
    for (size_t i = 0; i < count; i++)
        close (came[i]);
}

static container_visit_t *free_place (container_entrance_t *self)
{
    for (size_t i = 0; i < CONTAINER_VISITS_MAX; i++)
        if (self->visits[i].fd < 0)
            return &self->visits[i];
    return NULL;
}

void container_entrance_wait (const container_entrance_t *self, struct pollfd *polls)
{
    bool room = false;
    for (size_t i = 0; i < CONTAINER_VISITS_MAX; i++) {
        polls[1 + i] = (struct pollfd){ .fd = self->visits[i].fd, .events = POLLIN };
        room = room || self->visits[i].fd < 0;
    }
    polls[0] = (struct pollfd){ .fd = room ? self->listener : -1, .events = POLLIN };
}

void container_entrance_move (container_entrance_t *self, const struct pollfd *polls,
                              const container_spec_t *spec, pid_t init)
{
    for (size_t i = 0; i < CONTAINER_VISITS_MAX; i++)
        if (self->visits[i].fd >= 0 && polls[1 + i].revents)
            read_visit (self, &self->visits[i], spec, init);
    container_visit_t *place = polls[0].revents ? free_place (self) : NULL;
    if (place)
        place->fd = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC);
}

void container_entrance_ended (container_entrance_t *self, pid_t pid, int status)
{
    bool signalled = WIFSIGNALED (status);
    for (size_t i = 0; i < CONTAINER_VISITS_MAX; i++) {
        container_visit_t *visit = &self->visits[i];
        if (visit->fd < 0 || visit->pid != pid)
            continue;
        autofree char *line = text_format ("%s %d\n", signalled ? "signal" : "exit",
                                           signalled ? WTERMSIG (status) : WEXITSTATUS (status));
        tell (visit, line);
        leave (visit);
    }
}
