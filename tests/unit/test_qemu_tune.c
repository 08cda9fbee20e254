//  test_qemu_tune.c: what follows when the resources of a running guest's document change: undos
//  first, then where its threads run, then the balloon. The threads are this test's own.

#include "drivers/cpuset.h"
#include "drivers/qemu/qemu_tune.h"
#include "drivers/qemu/qemu_driver.h"
#include "fake_job.h"
#include "unit_xml.h"
#include "util/text.h"

#include <sched.h>
#include <unistd.h>

#define DOMAIN "<domain><name>g</name><memory>4096</memory>%s<vcpu>1</vcpu>%s</domain>"
#define BALLOON "<devices><memballoon model='virtio'/></devices>"

static fake_job_t fake;
static error_t err;

static xml_t *parse (const char *format, const char *first, const char *second)
{
    return unit_xmlf (format, first, second);
}

static int setup (void **state)
{
    (void) state;
    process_t self;
    char identity[PROCESS_TEXT_SIZE], thread[16];
    err = (error_t){ 0 };
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "g";
    fake.fail = "wait_exit"; //  it is there
    assert_int_equal (process_identify (getpid (), &self, &err), 0);
    process_to_text (&self, identity);
    snprintf (thread, sizeof thread, "%d", (int) gettid ());
    fake.guest.record = parse (
        "<driver><process identity='%s'/><vcpu id='0' thread='%s'/></driver>", identity, thread);
    fake.guest.live = parse (DOMAIN, "<currentMemory>4096</currentMemory>", BALLOON);
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    fake_job_clear (&fake);
    return 0;
}

static int tune (const char *first, const char *second)
{
    auto(xml_t) before = take (&fake.guest.live);
    fake.guest.live = parse (DOMAIN, first, second);
    return qemu_driver.tune (&fake.job, before, &err);
}

static void the_balloon (void **state)
{
    (void) state;
    assert_int_equal (tune ("<currentMemory>2048</currentMemory>", BALLOON), 0);
    const char *undo = strstr (fake.trace, "undo qemu.balloon 4194304\nrecord\n");
    const char *balloon = strstr (fake.trace, "qmp balloon");
    assert_true (undo && balloon && undo < balloon);
    assert_int_equal (tune ("<currentMemory>1024</currentMemory>", ""), -1);
    assert_non_null (strstr (err.message, "without a balloon"));
}

static void a_pin (void **state)
{
    (void) state;
    cpu_set_t before, now;
    assert_int_equal (sched_getaffinity (0, sizeof before, &before), 0);
    autofree char *all = cpuset_text (&before);
    char first[8];
    snprintf (first, sizeof first, "%d", (int) strtol (all, NULL, 10));
    autofree char *cputune =
        text_format ("<cputune><vcpupin vcpu='0' cpuset='%s'/></cputune>", first);
    xml_destroy (&fake.guest.live);
    fake.guest.live = parse (DOMAIN, "", "");
    if (tune ("", cputune))
        fail_msg ("%s", err.message);
    sched_getaffinity (0, sizeof now, &now);
    assert_int_equal (CPU_COUNT (&now), 1);
    assert_int_equal (fake.undo_count, 1);
    assert_string_equal (fake.undos[0].kind, "qemu.affinity");
    assert_int_equal (qemu_driver.undo (&fake.job, "affinity", fake.undos[0].argument, &err), 0);
    sched_getaffinity (0, sizeof now, &now);
    assert_true (CPU_EQUAL (&now, &before));

    //  CPUs that are not there: refused by the kernel, and nothing moved.
    assert_int_equal (tune ("", "<cputune><vcpupin vcpu='0' cpuset='1023'/></cputune>"), -1);
    assert_non_null (strstr (err.message, "none of them"));
    sched_getaffinity (0, sizeof now, &now);
    assert_true (CPU_EQUAL (&now, &before));
}

//  A thread of somebody else's is never touched.
static void strange_undos (void **state)
{
    (void) state;
    static const char *const wrong[] = { "", "x 0", "12", " 0" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal (qemu_undo_affinity (&fake.job, wrong[i], &err), -1);
    assert_int_equal (qemu_undo_affinity (&fake.job, "1 0", &err), 0);
    fake.fail = NULL; //  QEMU is over
    autofree char *own = text_format ("%d 0", (int) gettid ());
    cpu_set_t before, now;
    sched_getaffinity (0, sizeof before, &before);
    assert_int_equal (qemu_undo_affinity (&fake.job, own, &err), 0);
    sched_getaffinity (0, sizeof now, &now);
    assert_true (CPU_EQUAL (&now, &before));
}

static void what_it_takes (void **state)
{
    (void) state;
    assert_int_equal (qemu_takes ("cputune/shares", "5", &err), 0);
    assert_int_equal (qemu_takes ("numatune/memory/@mode", "strict", &err), 0);
    assert_int_equal (qemu_takes ("numatune/memory/@mode", "interleave", &err), -1);
    assert_int_equal (qemu_takes ("cputune/quota", NULL, &err), -1);
    assert_string_equal (err.message, "not supported: cputune/quota");
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (the_balloon, setup, teardown),
        cmocka_unit_test_setup_teardown (a_pin, setup, teardown),
        cmocka_unit_test_setup_teardown (strange_undos, setup, teardown),
        cmocka_unit_test_setup_teardown (what_it_takes, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
