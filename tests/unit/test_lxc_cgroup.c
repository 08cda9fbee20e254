//  test_lxc_cgroup.c: which hierarchies of control groups a host has. Folders are made by the
//  integration tests, in the real ones.

#include "drivers/lxc/lxc_cgroup.h"
#include "unit.h"
#include "util/text.h"

static const struct {
    const char *mounts, *unified, *freezer, *memory;
} cases[] = {
    { "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n", "/sys/fs/cgroup", NULL, NULL },
    { "proc /proc proc rw 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
      "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
      "cgroup /sys/fs/cgroup/freezer cgroup rw,relatime,freezer 0 0\n"
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0",
      "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup/memory" },
    { "cgroup /cg cgroup rw,freezer,memory,cpu 0 0\n", NULL, "/cg", "/cg" },
    //  Names that only look like them.
    { "x /a cgroup rw,name=memory 0 0\nx /b cgroup rw,memoryless 0 0\nmemory /c tmpfs rw,memory 0 "
      "0\n",
      NULL, NULL, NULL },
    { "", NULL, NULL, NULL },
};

static void expect (const char *found, const char *wanted)
{
    if (!text_equals (found, wanted))
        fail_msg ("'%s', not '%s'", found ? found : "none", wanted ? wanted : "none");
}

static void finds_hierarchies (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lxc_cgroup_mounts_t found;
        lxc_cgroup_find (cases[i].mounts, &found);
        expect (found.unified, cases[i].unified);
        expect (found.freezer, cases[i].freezer);
        expect (found.memory, cases[i].memory);
        lxc_cgroup_mounts_close (&found);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (finds_hierarchies) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
