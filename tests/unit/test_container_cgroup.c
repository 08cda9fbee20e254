//  test_container_cgroup.c: how a container's init gets into its cgroups: those of this host, where
//  the test may make folders in them.

#include "container/container_cgroup.h"
#include "unit.h"
#include "util/auto.h"
#include "util/file.h"
#include "util/text.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536

static const char *const hierarchies[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified",
                                           "/sys/fs/cgroup/memory", "/sys/fs/cgroup/freezer" };
enum {
    HIERARCHIES = sizeof hierarchies / sizeof *hierarchies
};

//  Those in which a folder could be made that is a cgroup; NULL at the end.
static const char *folders[HIERARCHIES + 1];
static char paths[HIERARCHIES][128];

static int make_folders (void **state)
{
    (void) state;
    size_t count = 0;
    for (size_t i = 0; i < HIERARCHIES; i++) {
        snprintf (paths[i], sizeof paths[i], "%s/troupe-test-%d", hierarchies[i], (int) getpid ());
        if (mkdir (paths[i], 0755))
            continue;
        autofree char *procs = text_format ("%s/cgroup.procs", paths[i]);
        if (access (procs, F_OK) == 0)
            folders[count++] = paths[i];
        else
            rmdir (paths[i]);
    }
    folders[count] = NULL;
    return 0;
}

//  The kernel lets go of a folder a moment after its last process.
static int remove_folders (void **state)
{
    (void) state;
    for (size_t i = 0; folders[i]; i++)
        for (int tries = 0; rmdir (folders[i]) && tries < 10000; tries++)
            usleep (1000);
    return 0;
}

static bool is_in_all (pid_t pid)
{
    error_t err;
    autofree char *path = text_format ("/proc/%d/cgroup", (int) pid);
    autofree char *text = file_read (path, LINE_MAX_BYTES, NULL, &err);
    size_t found = 0, wanted = 0;
    for (const char *at = text; at && (at = strstr (at, "/troupe-test-")); at++)
        found++;
    while (folders[wanted])
        wanted++;
    return found == wanted;
}

//  Forgets the folder of version 2 if the kernel is to be one that can't make processes in it.
static void go (bool old_kernel)
{
    int ready[2];
    char byte;
    error_t err;
    container_cgroups_t cgroups;
    const container_spec_t spec = { .cgroups = folders };
    assert_int_equal (pipe (ready), 0);
    assert_int_equal (container_cgroup_open (&cgroups, &spec, &err), 0);
    if (old_kernel && cgroups.into >= 0) {
        close (cgroups.into);
        cgroups.into = -1;
    }
    pid_t pid = container_cgroup_clone (&cgroups, 0);
    if (pid == 0) {
        bool joined = container_cgroup_join (&cgroups, &err) == 0;
        (void) !write (ready[1], joined ? "+" : "-", 1);
        alarm (60); //  if nobody ends it
        for (;;)
            pause ();
    }
    assert_true (pid > 0);
    assert_true (!old_kernel || !cgroups.born);
    assert_int_equal (container_cgroup_place (&cgroups, pid, &err), 0);
    assert_int_equal (read (ready[0], &byte, 1), 1);
    assert_int_equal (byte, '+');
    assert_true (is_in_all (pid));
    container_cgroup_close (&cgroups);
    kill (pid, SIGKILL);
    waitpid (pid, NULL, 0);
    close (ready[0]);
    close (ready[1]);
}

static void test_places (void **state)
{
    (void) state;
    if (!folders[0])
        skip (); //  no cgroups, or not root
    go (false);
    go (true);
}

static void test_refusals (void **state)
{
    (void) state;
    error_t err;
    container_cgroups_t cgroups;
    const char *gone[] = { "/none/at/all", NULL };
    const container_spec_t spec = { .cgroups = gone };
    assert_int_equal (container_cgroup_open (&cgroups, &spec, &err), -1);
    assert_non_null (strstr (err.message, "cgroup '/none/at/all': No such file"));
    container_cgroup_close (&cgroups);
}

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown (test_places, make_folders,
                                                                         remove_folders),
                                        cmocka_unit_test (test_refusals) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
