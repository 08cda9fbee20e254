//  test_container_console.c: bytes between a container's terminal and the host's pty, with nobody
//  looking, somebody, and nobody again. The terminal inside is a pty of the test's own.

#include "container/container_console.h"
#include "unit.h"
#include "util/text.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 30000
};

typedef struct {
    console_t console;
    int watcher, inside; //  the program's end of the terminal
} scene_t;

static int open_scene (void **state)
{
    scene_t *self = memory_new (1, sizeof *self);
    struct termios raw;
    error_t err;
    self->watcher = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
    assert_int_equal (container_console_open (&self->console, self->watcher, &err), 0);
    int master = posix_openpt (O_RDWR | O_NOCTTY);
    assert_true (master >= 0 && grantpt (master) == 0 && unlockpt (master) == 0);
    char path[64];
    assert_int_equal (ptsname_r (master, path, sizeof path), 0);
    self->inside = open (path, O_RDWR | O_NOCTTY);
    assert_int_equal (tcgetattr (self->inside, &raw), 0);
    cfmakeraw (&raw);
    assert_int_equal (tcsetattr (self->inside, TCSANOW, &raw), 0);
    container_console_plug (&self->console, master, dup (self->inside));
    *state = self;
    return 0;
}

static int close_scene (void **state)
{
    scene_t *self = *state;
    container_console_close (&self->console);
    close (self->watcher);
    close (self->inside);
    free (self);
    return 0;
}

//  One turn of the supervisor's loop; false if nothing came within MS.
static bool turn (scene_t *self, int ms)
{
    struct pollfd polls[3];
    struct inotify_event event;
    container_console_wait (&self->console, polls);
    polls[2] = (struct pollfd){ .fd = self->watcher, .events = POLLIN };
    if (poll (polls, 3, ms) <= 0)
        return false;
    container_console_move (&self->console, polls);
    while (read (self->watcher, &event, sizeof event) == sizeof event)
        container_console_opened (&self->console, event.wd);
    return true;
}

//  What FD gives, SIZE bytes of it. The caller frees it.
static char *read_all (scene_t *self, int fd, size_t size)
{
    char *text = memory_new (size + 1, 1);
    for (size_t done = 0; done < size;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        if (poll (&wait, 1, 0) <= 0) {
            assert_true (turn (self, PATIENCE_MS));
            continue;
        }
        ssize_t count = read (fd, text + done, size - done);
        assert_true (count > 0);
        done += (size_t) count;
    }
    return text;
}

static void moves_both_ways (void **state)
{
    scene_t *self = *state;
    //  What was said before is shown to whoever comes.
    assert_int_equal (write (self->inside, "login: ", 7), 7);
    while (self->console.output.size < 7)
        assert_true (turn (self, PATIENCE_MS));
    int outside = open (self->console.path, O_RDWR | O_NOCTTY);
    autofree char *shown = read_all (self, outside, 7);
    assert_string_equal (shown, "login: ");
    assert_int_equal (write (outside, "root\r", 5), 5);
    autofree char *typed = read_all (self, self->inside, 5);
    assert_string_equal (typed, "root\r");
    //  Gone again: it does not keep the supervisor busy, and is noticed when it comes back.
    close (outside);
    while (self->console.connected)
        assert_true (turn (self, PATIENCE_MS));
    while (turn (self, 0))
        ;
    assert_false (turn (self, 20));
    outside = open (self->console.path, O_RDWR | O_NOCTTY);
    assert_int_equal (write (self->inside, "again", 5), 5);
    autofree char *again = read_all (self, outside, 5);
    assert_string_equal (again, "again");
    close (outside);
}

//  A program that writes much to a console that nobody reads is not held up; the end is kept.
static void forgets_the_oldest (void **state)
{
    scene_t *self = *state;
    for (int i = 0; i < 4000; i++) {
        char line[16];
        snprintf (line, sizeof line, "line %05d\n", i);
        assert_int_equal (write (self->inside, line, 11), 11);
        while (turn (self, 0))
            ;
    }
    int outside = open (self->console.path, O_RDWR | O_NOCTTY);
    while (!self->console.connected)
        assert_true (turn (self, PATIENCE_MS));
    size_t kept = self->console.output.size;
    assert_true (kept >= sizeof self->console.output.bytes / 2);
    autofree char *shown = read_all (self, outside, kept);
    assert_string_equal (shown + kept - 11, "line 03999\n");
    close (outside);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (moves_both_ways, open_scene, close_scene),
        cmocka_unit_test_setup_teardown (forgets_the_oldest, open_scene, close_scene),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
