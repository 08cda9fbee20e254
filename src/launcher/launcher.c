//  launcher.c: troupe-launch, what stands between the daemon's posix_spawn and the program.
//
//  The daemon has thousands of threads, and between fork and exec a threaded program may do next to
//  nothing; so it spawns this one, which has one thread, does what must be done before exec, and
//  waits for "go" while the daemon records its pid. If the daemon dies first, it goes without a
//  trace. See launch_protocol.h.

#include "launcher/setup.h"
#include "util/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define EXIT_NO_PROGRAM 127

//  As recv, but all SIZE bytes: 1, or 0 when the daemon is gone.
static int receive (int control, void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t count = recv (control, (char *) bytes + done, size - done, 0);
        if (count == 0 || (count < 0 && errno != EINTR))
            return 0;
        if (count > 0)
            done += (size_t) count;
    }
    return 1;
}

static void answer (int control, const char *prefix, const char *text)
{
    char line[ERROR_MESSAGE_MAX + 16];
    const int size = snprintf (line, sizeof line, "%s%s\n", prefix, text);
    //  If it can't be sent, there is nobody left to tell.
    (void) !send (control, line, (size_t) size, MSG_NOSIGNAL);
}

//  Ends the launcher before the program was executed.
static _Noreturn void give_up (const spec_t *spec, int control, const error_t *err)
{
    setup_undo_listeners (spec);
    if (err)
        answer (control, LAUNCH_ERROR_PREFIX, err->message);
    _exit (err ? EXIT_NO_PROGRAM : 0);
}

//  Moves the control socket out of the program's descriptors.
static int move_control (void)
{
    const int control = fcntl (LAUNCH_FD, F_DUPFD_CLOEXEC, LAUNCH_FD_MAX + 1);
    if (control < 0) {
        fputs ("troupe-launch: the daemon starts this program, with a socket as descriptor 3\n",
               stderr);
        _exit (2);
    }
    return control;
}

static void read_spec (spec_t *spec, int control)
{
    error_t err;
    uint32_t size = 0;
    if (!receive (control, &size, sizeof size))
        give_up (spec, control, NULL);
    if (size > LAUNCH_SPEC_MAX) {
        error_set (&err, ERR_INVALID_ARG, "the launcher's spec has %u bytes, more than %d", size,
                   LAUNCH_SPEC_MAX);
        give_up (spec, control, &err);
    }
    char *bytes = malloc (size + 1); //  in use until exec
    if (!bytes) {
        error_set (&err, ERR_NO_MEMORY, "the launcher has no memory for its spec");
        give_up (spec, control, &err);
    }
    if (!receive (control, bytes, size))
        give_up (spec, control, NULL);
    if (spec_parse (spec, bytes, size, &err))
        give_up (spec, control, &err);
}

//  So that a missing program is known before anything is recorded or started.
static int check_program (const spec_t *spec, error_t *err)
{
    if (access (spec->argv[0], X_OK))
        return error_errno (err, ERR_OPERATION_FAILED, "execute '%s'", spec->argv[0]);
    return 0;
}

static int prepare (spec_t *spec, int control, error_t *err)
{
    setup_session ();
    if (setup_descriptors (spec, control, err) || setup_output (spec, err) ||
        setup_cgroups (spec, err) || setup_limits (spec, err) || setup_folder (spec, err) ||
        check_program (spec, err) || setup_devices (spec, err))
        return -1;
    return setup_listeners (spec, err);
}

static void wait_for_go (const spec_t *spec, int control)
{
    char word[sizeof LAUNCH_GO - 1];
    error_t err;
    if (!receive (control, word, sizeof word))
        give_up (spec, control, NULL);
    if (memcmp (word, LAUNCH_GO, sizeof word) != 0) {
        error_set (&err, ERR_INVALID_ARG, "the launcher was told something else than to go");
        give_up (spec, control, &err);
    }
}

int main (void)
{
    error_t err;
    spec_t spec = { 0 };
    const int control = move_control ();
    read_spec (&spec, control);
    if (prepare (&spec, control, &err))
        give_up (&spec, control, &err);
    answer (control, LAUNCH_READY_LINE, "");
    wait_for_go (&spec, control);
    if (setup_identity (&spec, &err) == 0 && setup_tie (&spec, control, &err) == 0) {
        execve (spec.argv[0], spec.argv, spec.env);
        error_errno (&err, ERR_OPERATION_FAILED, "execute '%s'", spec.argv[0]);
    }
    give_up (&spec, control, &err);
}
