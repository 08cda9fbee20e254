//  test_cgroup.c: which hierarchies of control groups a host has, and what a guest's limits are in
//  each kind of them. Folders of a test stand for the kernel's: what is written is read there.

#include "drivers/cgroup/cgroup.h"
#include "fake_job.h"
#include "unit_xml.h"
#include "folder.h"
#include "util/file.h"
#include "util/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *mounts, *at[CGROUP_COUNT];
} cases[] = {
    { "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n", { [CGROUP_UNIFIED] = "/sys/fs/cgroup" } },
    { "proc /proc proc rw 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
      "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
      "cgroup /sys/fs/cgroup/freezer cgroup rw,relatime,freezer 0 0\n"
      "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n"
      "cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0\n"
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0",
      { [CGROUP_UNIFIED] = "/sys/fs/cgroup/unified",
        [CGROUP_FREEZER] = "/sys/fs/cgroup/freezer",
        [CGROUP_MEMORY] = "/sys/fs/cgroup/memory",
        [CGROUP_CPU] = "/sys/fs/cgroup/cpu,cpuacct",
        [CGROUP_CPUSET] = "/sys/fs/cgroup/cpuset" } },
    { "cgroup /cg cgroup rw,freezer,memory,cpu 0 0\n",
      { [CGROUP_FREEZER] = "/cg", [CGROUP_MEMORY] = "/cg", [CGROUP_CPU] = "/cg" } },
    //  Names that only look like them.
    { "x /a cgroup rw,name=memory 0 0\nx /b cgroup rw,memoryless 0 0\nmemory /c tmpfs rw,memory 0 "
      "0\n",
      { NULL } },
    { "", { NULL } },
};

static void finds_hierarchies (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cgroup_mounts_t found;
        cgroup_find (cases[i].mounts, &found);
        for (size_t kind = 0; kind < CGROUP_COUNT; kind++)
            if (!text_equals (found.at[kind], cases[i].at[kind]))
                fail_msg ("%s: '%s'", cgroup_names[kind], found.at[kind] ? found.at[kind] : "none");
        cgroup_mounts_close (&found);
    }
}

//  A guest, and the folders of its cgroups.

static const cgroup_scope_t scope = { .memory = true,
                                      .vcpus = true,
                                      .quota = "cputune/quota",
                                      .period = "cputune/period",
                                      .shares = "cputune/shares" };

typedef struct {
    fake_job_t fake;
    char root[UNIT_PATH_SIZE], folder[80]; //  the guest's is below
    error_t err;
} scene_t;

static void put (const scene_t *self, const char *name, const char *text)
{
    autofree char *path = text_format ("%s/%s", self->folder, name);
    error_t err = { 0 };
    if (file_write (path, text, strlen (text), &err))
        fail_msg ("%s", err.message);
}

//  The file as it is: a real one of a cgroup shows the last write alone, this one what it covers.
static void expect (const scene_t *self, const char *name, const char *text)
{
    autofree char *path = text_format ("%s/%s", self->folder, name);
    error_t err = { 0 };
    autofree char *now = file_read (path, 4096, NULL, &err);
    if (!now || strncmp (now, text, strlen (text)) != 0)
        fail_msg ("%s: '%s', not '%s'", name, now ? now : err.message, text);
}

static xml_t *parse (const char *format, const char *inner)
{
    return unit_xmlf (format, inner);
}

#define DOMAIN                                                                                     \
    "<domain><memory unit='KiB'>2048</memory><currentMemory unit='KiB'>1024</currentMemory>%s"     \
    "</domain>"

//  RECORD: the names of its cgroups, all of one folder.
static void begin (scene_t *self, const char *const *names, const char *inner)
{
    fake_job_init (&self->fake, "/nowhere");
    unit_new_folder (self->root);
    snprintf (self->folder, sizeof self->folder, "%s/guest", self->root);
    assert_int_equal (mkdir (self->folder, 0700), 0);
    guest_t *guest = self->fake.job.guest;
    xml_destroy (&guest->record);
    xml_destroy (&guest->live);
    guest->live = parse (DOMAIN, inner);
    guest->record = parse ("<driver>%s</driver>", "");
    for (; names && *names; names++) {
        xml_node_t *cgroup = xml_add (xml_root (guest->record), "cgroup");
        xml_set (cgroup, "@name", *names);
        xml_set (cgroup, "@path", self->folder);
    }
}

static void end (scene_t *self)
{
    autofree char *command = text_format ("rm -r %s", self->root);
    assert_int_equal (system (command), 0);
    xml_destroy (&self->fake.job.guest->live);
    xml_destroy (&self->fake.job.guest->record);
}

static int tune (scene_t *self, const char *inner)
{
    guest_t *guest = self->fake.job.guest;
    auto(xml_t) before = take (&guest->live);
    guest->live = parse (DOMAIN, inner);
    self->err = (error_t){ 0 };
    return cgroup_tune (&self->fake.job, &scope, before, &self->err);
}

static void undo_all (scene_t *self)
{
    for (size_t i = self->fake.undo_count; i-- > 0;) {
        fake_undo_t *undo = &self->fake.undos[i];
        assert_string_equal (undo->kind, "cgroup_value");
        assert_int_equal (cgroup_undo_value (&self->fake.job, undo->argument, &self->err), 0);
    }
    self->fake.undo_count = 0;
}

#define ALL                                                                                        \
    "<memtune><hard_limit unit='KiB'>512</hard_limit><swap_hard_limit "                            \
    "unit='KiB'>768</swap_hard_limit><soft_limit unit='KiB'>256</soft_limit></memtune>"            \
    "<blkiotune><weight>400</weight></blkiotune><vcpu cpuset='0-3,^2'>1</vcpu>"                    \
    "<cputune><shares>200</shares><period>20000</period><quota>10000</quota></cputune>"            \
    "<numatune><memory mode='strict' nodeset='0'/></numatune>"

static void version_2 (void **state)
{
    (void) state;
    static const char *const names[] = { "unified", NULL };
    scene_t self;
    begin (&self, names, ALL);
    static const char *const files[] = { "memory.max", "memory.swap.max", "memory.high" };
    for (size_t i = 0; i < 3; i++)
        put (&self, files[i], "max\n");
    put (&self, "cpu.weight", "100\n");
    put (&self, "cpu.max", "max 100000\n");
    put (&self, "cpuset.cpus", "\n");
    put (&self, "cpuset.mems", "\n");
    put (&self, "io.weight", "default 100\n");
    if (cgroup_tune (&self.fake.job, &scope, NULL, &self.err))
        fail_msg ("%s", self.err.message);
    expect (&self, "memory.max", "524288");
    expect (&self, "memory.swap.max", "262144");
    expect (&self, "memory.high", "262144");
    expect (&self, "cpu.weight", "200");
    expect (&self, "cpu.max", "10000 20000");
    expect (&self, "cpuset.cpus", "0-1,3");
    expect (&self, "cpuset.mems", "0");
    expect (&self, "io.weight", "400");
    assert_int_equal (self.fake.undo_count, 0); //  nothing runs there yet

    //  What does not change is left alone; what does has its undo on disk first.
    put (&self, "cpu.weight", "200\n");
    assert_int_equal (tune (&self, "<cputune><shares>300</shares></cputune>"), 0);
    expect (&self, "cpu.weight", "300");
    expect (&self, "memory.max", "1048576");
    expect (&self, "cpu.max", "max 100000");
    assert_non_null (strstr (self.fake.trace, "/cpu.weight 200\n"));
    const char *record = strstr (self.fake.trace, "record");
    assert_true (record && !strstr (record, "undo cgroup_value"));
    undo_all (&self);
    expect (&self, "cpu.weight", "200");

    assert_int_equal (tune (&self, "<cputune><shares>20000</shares></cputune>"), -1);
    assert_non_null (strstr (self.err.message, "at most 10000"));
    expect (&self, "cpu.weight", "200");
    end (&self);
}

//  Where memory and swap have one limit together, which of the two comes first matters.
static void version_1 (void **state)
{
    (void) state;
    static const char *const names[] = { "memory", "cpu", "cpuset", "blkio", NULL };
    scene_t self;
    begin (&self, names, ALL);
    put (&self, "memory.limit_in_bytes", "9223372036854771712\n");
    put (&self, "memory.memsw.limit_in_bytes", "9223372036854771712\n");
    put (&self, "memory.soft_limit_in_bytes", "9223372036854771712\n");
    put (&self, "cpu.shares", "1024\n");
    put (&self, "cpu.cfs_quota_us", "-1\n");
    put (&self, "cpu.cfs_period_us", "100000\n");
    put (&self, "cpuset.cpus", "0-3\n");
    put (&self, "cpuset.mems", "0\n");
    put (&self, "../cpuset.cpus", "0-7\n");
    put (&self, "../cpuset.mems", "0\n");
    put (&self, "blkio.bfq.weight", "100\n");
    if (cgroup_tune (&self.fake.job, &scope, NULL, &self.err))
        fail_msg ("%s", self.err.message);
    expect (&self, "memory.limit_in_bytes", "524288");
    expect (&self, "memory.memsw.limit_in_bytes", "786432");
    expect (&self, "cpu.shares", "200");
    expect (&self, "cpu.cfs_quota_us", "10000");
    expect (&self, "cpu.cfs_period_us", "20000");
    expect (&self, "cpuset.cpus", "0-1,3");
    expect (&self, "blkio.bfq.weight", "400");

    //  What is not set any more is the kernel's default, or what there is above.
    put (&self, "memory.limit_in_bytes", "524288\n");
    put (&self, "memory.memsw.limit_in_bytes", "786432\n");
    assert_int_equal (tune (&self, "<memtune><hard_limit>1024</hard_limit><swap_hard_limit>2048"
                                   "</swap_hard_limit></memtune>"),
                      0);
    expect (&self, "memory.limit_in_bytes", "1048576");
    expect (&self, "memory.memsw.limit_in_bytes", "2097152");
    expect (&self, "memory.soft_limit_in_bytes", "-1");
    expect (&self, "cpu.shares", "1024");
    expect (&self, "cpu.cfs_quota_us", "-1");
    expect (&self, "cpuset.cpus", "0-7");
    //  Up: both together first. The undo goes the other way.
    const char *swap = strstr (self.fake.trace, "/memory.memsw"),
               *memory = strstr (self.fake.trace, "/memory.limit");
    assert_true (swap && memory && swap < memory);

    //  Down: memory alone first.
    put (&self, "memory.memsw.limit_in_bytes", "2097152\n");
    self.fake.undo_count = 0;
    self.fake.trace[0] = 0;
    assert_int_equal (tune (&self, "<memtune><hard_limit>512</hard_limit><swap_hard_limit>512"
                                   "</swap_hard_limit></memtune>"),
                      0);
    expect (&self, "memory.memsw.limit_in_bytes", "524288");
    swap = strstr (self.fake.trace, "/memory.memsw");
    memory = strstr (self.fake.trace, "/memory.limit");
    assert_true (swap && memory && memory < swap);
    end (&self);
}

static void lines_of_devices (void **state)
{
    (void) state;
    static const char *const names[] = { "unified", NULL };
    const char *const device = "/dev/loop0";
    scene_t self;
    struct stat status;
    if (stat (device, &status) || !S_ISBLK (status.st_mode))
        skip ();
    begin (&self, names, "");
    put (&self, "io.max", "7:0 rbps=5 wbps=max riops=max wiops=70\n");
    assert_int_equal (tune (&self, "<blkiotune><device><path>/dev/loop0</path><write_iops_sec>80"
                                   "</write_iops_sec></device></blkiotune>"),
                      0);
    expect (&self, "io.max", "7:0 wiops=80");
    assert_non_null (strstr (self.fake.trace, "/io.max 7:0 wiops=70\n"));
    assert_int_equal (tune (&self, ""), 0);
    expect (&self, "io.max", "7:0 wiops=max");
    assert_int_equal (tune (&self, "<blkiotune><device><path>/dev/null</path><weight>100</weight>"
                                   "</device></blkiotune>"),
                      -1);
    assert_non_null (strstr (self.err.message, "'/dev/null' is no block device"));
    end (&self);
}

//  Without any, only what is asked for by name is refused: <memory> alone is a word in the log.
static void no_cgroups (void **state)
{
    (void) state;
    static const struct {
        const char *inner, *refused;
    } wishes[] = {
        { "", NULL },
        { "<memtune><hard_limit>512</hard_limit></memtune>", "memtune/hard_limit" },
        { "<memtune><swap_hard_limit>5120</swap_hard_limit></memtune>", "memtune/swap_hard_limit" },
        { "<memtune><soft_limit>512</soft_limit></memtune>", "memtune/soft_limit" },
        { "<cputune><shares>512</shares></cputune>", "cputune/shares" },
        { "<cputune><quota>5120</quota></cputune>", "cputune/quota" },
        { "<vcpu cpuset='0'>1</vcpu>", "vcpu/@cpuset" },
        { "<numatune><memory nodeset='0'/></numatune>", "numatune/memory/@nodeset" },
        { "<blkiotune><weight>100</weight></blkiotune>", "blkiotune/weight" },
    };
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        scene_t self;
        begin (&self, NULL, wishes[i].inner);
        self.err = (error_t){ 0 };
        int rc = cgroup_tune (&self.fake.job, &scope, NULL, &self.err);
        assert_int_equal (rc, wishes[i].refused ? -1 : 0);
        if (wishes[i].refused && (self.err.code != ERR_CONFIG_UNSUPPORTED ||
                                  !strstr (self.err.message, wishes[i].refused)))
            fail_msg ("%s: %s", wishes[i].inner, self.err.message);
        if (!wishes[i].refused)
            assert_non_null (strstr (self.fake.trace, "<memory> is no limit"));
        end (&self);
    }
    //  Of one that runs, a share of the processors' time is decided at its start.
    scene_t self;
    begin (&self, NULL, "");
    assert_int_equal (tune (&self, "<cputune><shares>512</shares></cputune>"), -1);
    assert_non_null (strstr (self.err.message, "for its next start"));
    end (&self);
}

//  The undo of a folder is on disk before the folder; controllers that share a hierarchy share it.
static void makes_folders (void **state)
{
    (void) state;
    scene_t self;
    begin (&self, NULL, "");
    self.fake.job.instance = "0123abcd";
    snprintf (self.fake.job.guest->uuid, UUID_TEXT_SIZE, "11111111-2222-3333-4444-555555555555");
    cgroup_mounts_t mounts = { .at = { [CGROUP_FREEZER] = self.folder,
                                       [CGROUP_MEMORY] = self.folder,
                                       [CGROUP_CPU] = self.folder } };
    if (cgroup_make_in (&self.fake.job, &mounts, true, &self.err))
        fail_msg ("%s", self.err.message);
    auto(strings_t) folders = cgroup_folders (self.fake.job.guest);
    autofree char *path =
        text_format ("%s/troupe-0123abcd/%s", self.folder, self.fake.job.guest->uuid);
    assert_int_equal (folders->count, 1);
    assert_string_equal (folders->items[0], path);
    assert_int_equal (access (path, F_OK), 0);
    autofree char *undo = text_format ("undo cgroup %s\n", path);
    assert_true (text_starts (self.fake.trace, undo) && text_ends (self.fake.trace, "record\n"));
    assert_int_equal (cgroup_remove (&self.fake.job, path, &self.err), 0);
    assert_int_equal (access (path, F_OK), -1);

    xml_set (xml_root (self.fake.job.guest->live), "resource/partition", "/there/is/none");
    assert_int_equal (cgroup_make_in (&self.fake.job, &mounts, true, &self.err), -1);
    assert_non_null (strstr (self.err.message, "resource/partition '/there/is/none'"));
    end (&self);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (finds_hierarchies), cmocka_unit_test (version_2),
        cmocka_unit_test (version_1),         cmocka_unit_test (lines_of_devices),
        cmocka_unit_test (no_cgroups),        cmocka_unit_test (makes_folders),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
