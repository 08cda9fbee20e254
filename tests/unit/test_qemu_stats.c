//  test_qemu_stats.c: statistics from QEMU's answers, under libvirt's names. A real QEMU is asked
//  in integration/test_stats.py.

#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"
#include "fake_job.h"
#include "util/process.h"
#include "util/text.h"
#include "unit_xml.h"

#include <unistd.h>

#define LIVE                                                                                       \
    "<domain type='%s'><name>g</name><devices>"                                                    \
    "<disk type='file' device='disk'><source file='/i/top.qcow2'/>"                                \
    "<target dev='vda' bus='virtio'/><alias name='virtio-disk0'/></disk>"                          \
    "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/>"                              \
    "<alias name='sata0-0-0'/></disk>"                                                             \
    "<interface type='user'><alias name='net0'/></interface>"                                      \
    "<memballoon model='virtio'><alias name='balloon0'/></memballoon></devices></domain>"

#define DID                                                                                        \
    "'rd_bytes': 512, 'rd_total_time_ns': 5, 'wr_operations': 2, 'wr_bytes': 1024, "               \
    "'wr_total_time_ns': 6, 'flush_operations': 1, 'flush_total_time_ns': 9}"
#define BASE                                                                                       \
    "{'node-name': 'base', 'stats': {'rd_operations': 3, 'wr_highest_offset': 5, " DID             \
    ", 'parent': {'node-name': 'base-file', 'stats': {'wr_highest_offset': 0}}}"
#define TOP                                                                                        \
    "{'node-name': 'top', 'stats': {'rd_operations': 99, 'wr_highest_offset': 2, " DID             \
    ", 'parent': {'node-name': 'top-file', 'stats': {'wr_highest_offset': 4096}}, "                \
    "'backing': " BASE "}"
#define FILTER                                                                                     \
    "{'node-name': 'filter', 'qdev': '/machine/peripheral/virtio-disk0/virtio-backend', "          \
    "'stats': {'rd_operations': 7, 'wr_highest_offset': 1, " DID ", 'parent': " TOP "}"
#define CDROM "{'qdev': 'sata0-0-0', 'stats': {'rd_operations': 0, " DID "}"

#define SWAP "'stat-swap-in': 2048, 'stat-swap-out': 9223372036854775807, "

static const fake_reply_t answers[] = {
    { "query-balloon", "{'actual': 134217728}" },
    { "qom-get",
      "{'stats': {" SWAP "'stat-minor-faults': 77, 'stat-free-memory': 0, "
      "'stat-total-memory': 10240, 'stat-disk-caches': -1}, 'last-update': 1700000000}" },
    { "query-blockstats", "[" FILTER ", " CDROM "]" },
    { "query-named-block-nodes",
      "[{'node-name': 'filter', 'image': {'virtual-size': 8388608}}, "
      "{'node-name': 'top', 'write_threshold': 0, 'image': {'virtual-size': 8388608}}, "
      "{'node-name': 'top-file', 'file': '/i/top.qcow2', 'write_threshold': 150000, "
      "'image': {'virtual-size': 200000, 'actual-size': 1}}, "
      "{'node-name': 'base', 'write_threshold': 0, 'image': {'virtual-size': 4194304}}, "
      "{'node-name': 'base-file', 'file': '/i/base.qcow2', 'write_threshold': 0, "
      "'image': {'virtual-size': 196608}}]" },
    { "query-iothreads",
      "[{'id': 'iothread3', 'poll-max-ns': 32768, 'poll-grow': 2, 'poll-shrink': 0}]" },
    { "query-dirty-rate",
      "{'status': 'measured', 'start-time': 12, 'calc-time': 1, 'dirty-rate': 64, "
      "'mode': 'dirty-ring', 'vcpu-dirty-rate': [{'id': 1, 'dirty-rate': 60}]}" },
    { "query-stats-schemas",
      "[{'target': 'vcpu', 'stats': [{'name': 'exits', 'type': 'cumulative'}, "
      "{'name': 'blocking', 'type': 'instant'}, "
      "{'name': 'halt_poll_success_ns', 'type': 'cumulative'}, "
      "{'name': 'halt_poll_fail_ns', 'type': 'cumulative'}, "
      "{'name': 'halt_wait_hist', 'type': 'log2-histogram'}]}, "
      "{'target': 'vm', 'stats': [{'name': 'exits', 'type': 'peak'}]}]" },
    { "query-cpus-fast",
      "[{'cpu-index': 0, 'qom-path': '/c/0'}, {'cpu-index': 1, 'qom-path': '/c/1'}]" },
    { "query-stats {'target':'vm'}", "[{'stats': [{'name': 'exits', 'value': 8}]}]" },
    { "query-stats {'target':'vcpu'}",
      "[{'qom-path': '/c/1', 'stats': [{'name': 'exits', 'value': 11}, "
      "{'name': 'halt_poll_success_ns', 'value': 30}, {'name': 'halt_poll_fail_ns', 'value': 4}, "
      "{'name': 'halt_wait_hist', 'value': [1, 2]}, {'name': 'unknown', 'value': 1}]}, "
      "{'qom-path': '/c/0', 'stats': [{'name': 'exits', 'value': 10}, "
      "{'name': 'blocking', 'value': true}, {'name': 'halt_poll_success_ns', 'value': 3}]}, "
      "{'qom-path': '/c/9', 'stats': [{'name': 'exits', 'value': 12}]}]" },
};

enum {
    ANSWERS = sizeof answers / sizeof *answers
};

static fake_job_t fake;
static fake_reply_t replies[ANSWERS + 1];
static json_t *stats;

static char *quoted (const char *text)
{
    char *copy = text_copy (text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

static int setup (void **state)
{
    (void) state;
    process_t process;
    error_t err;
    char identity[PROCESS_TEXT_SIZE];
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "g";
    fake.guest.status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    assert_int_equal (process_identify (getpid (), &process, &err), 0);
    process_to_text (&process, identity);
    autofree char *record =
        text_format ("<driver><process identity='%s'/><vcpu id='0' thread='%d'/>"
                     "<vcpu id='1' thread='%d'/></driver>",
                     identity, (int) getpid (), (int) getpid ());
    fake.guest.record = unit_xml (record);
    for (size_t i = 0; i < ANSWERS; i++)
        replies[i] = (fake_reply_t){ quoted (answers[i].execute), quoted (answers[i].reply) };
    fake.replies = replies;
    stats = json_object ();
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    for (size_t i = 0; i < ANSWERS; i++) {
        free ((char *) replies[i].execute);
        free ((char *) replies[i].reply);
    }
    json_decref (stats);
    fake_job_clear (&fake);
    return 0;
}

static int measure (const char *type, error_t *err)
{
    autofree char *live = text_format (LIVE, type);
    fake.guest.live = unit_xml (live);
    return qemu_driver.stats (&fake.job, stats, err);
}

static void has (const char *name, long long value)
{
    if (json_integer_value (json_object_get (stats, name)) != value ||
        !json_object_get (stats, name))
        fail_msg ("%s is not %lld", name, value);
}

static void has_text (const char *name, const char *value)
{
    const char *text = json_string_value (json_object_get (stats, name));
    if (!text_equals (text, value))
        fail_msg ("%s is %s, not %s", name, text ? text : "not there", value);
}

static void has_not (const char *name)
{
    if (json_object_get (stats, name))
        fail_msg ("%s is there", name);
}

static void test_disks_and_their_chains (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (measure ("qemu", &err), 0);
    has ("block.count", 2);
    has_text ("block.0.name", "vda");
    has_text ("block.0.path", "/i/top.qcow2");
    has ("block.0.rd.reqs", 7);
    has ("block.0.wr.bytes", 1024);
    has ("block.0.fl.times", 9);
    has ("block.0.allocation", 4096);
    has ("block.0.capacity", 8388608);
    has ("block.0.physical", 200000);
    has ("block.0.threshold", 150000);
    has_not ("block.0.backingIndex");
    has_text ("block.1.name", "sda");
    has ("block.1.rd.reqs", 0);
    has_not ("block.1.path");
    has_not ("block.1.capacity");
    has ("backing.count", 3);
    has ("backing.0.physical", 200000);
    has_text ("backing.1.name", "vda");
    has_text ("backing.1.path", "/i/base.qcow2");
    has ("backing.1.backingIndex", 1);
    has ("backing.1.rd.reqs", 3);
    has ("backing.1.capacity", 4194304);
    has_not ("backing.1.threshold");
    has_text ("backing.2.name", "sda");
}

static void test_memory_threads_and_rates (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (measure ("qemu", &err), 0);
    has ("net.count", 1);
    has ("balloon.current", 131072);
    has ("balloon.swap_in", 2);
    has ("balloon.minor_fault", 77);
    has ("balloon.unused", 0);
    has ("balloon.available", 10);
    has ("balloon.last-update", 1700000000);
    has_not ("balloon.swap_out");
    has_not ("balloon.disk_caches");
    has_not ("balloon.usable");
    has ("vcpu.1.state", 1);
    assert_non_null (json_object_get (stats, "vcpu.0.delay"));
    has ("iothread.count", 1);
    has ("iothread.3.poll-max-ns", 32768);
    has ("dirtyrate.calc_status", 2);
    has ("dirtyrate.megabytes_per_second", 64);
    has_text ("dirtyrate.calc_mode", "dirty-ring");
    has ("dirtyrate.vcpu.1.megabytes_per_second", 60);
    //  Nobody asks a QEMU without KVM what KVM counts.
    assert_null (strstr (fake.trace, "query-stats"));
}

static void test_what_kvm_counts (void **state)
{
    (void) state;
    error_t err = { 0 };
    assert_int_equal (measure ("kvm", &err), 0);
    has ("vm.exits.max", 8);
    has ("vcpu.0.exits.sum", 10);
    has ("vcpu.1.exits.sum", 11);
    assert_true (json_is_true (json_object_get (stats, "vcpu.0.blocking.cur")));
    has ("cpu.haltpoll.success.time", 33);
    has ("cpu.haltpoll.fail.time", 4);
    has_not ("vcpu.9.exits.sum");
    has_not ("vcpu.-1.exits.sum");
    has_not ("vcpu.1.unknown.sum");
}

//  An older QEMU, a guest without a balloon's driver: the rest is there.
static void test_what_qemu_does_not_have_is_left_out (void **state)
{
    (void) state;
    error_t err = { 0 };
    static const char *const refused[] = { "qom-get", "query-balloon", "query-dirty-rate",
                                           "query-stats-schemas" };
    for (size_t i = 0; i < ANSWERS; i++)
        for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
            if (strcmp (replies[i].execute, refused[k]) == 0) {
                free ((char *) replies[i].reply);
                replies[i].reply = text_copy ("!CommandNotFound: there is none");
            }
    assert_int_equal (measure ("kvm", &err), 0);
    has ("block.count", 2);
    has_not ("balloon.current");
    has_not ("balloon.last-update");
    has_not ("dirtyrate.calc_status");
    has_not ("vm.exits.max");
}

//  Nobody waits for the rest of a QEMU that hangs.
static void test_no_answer_is_an_error (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake.fail = "qmp query-dirty-rate";
    fake.fail_code = ERR_OPERATION_TIMEOUT;
    assert_int_equal (measure ("kvm", &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_TIMEOUT);
    assert_null (strstr (fake.trace, "query-stats"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_disks_and_their_chains, setup, teardown),
        cmocka_unit_test_setup_teardown (test_memory_threads_and_rates, setup, teardown),
        cmocka_unit_test_setup_teardown (test_what_kvm_counts, setup, teardown),
        cmocka_unit_test_setup_teardown (test_what_qemu_does_not_have_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown (test_no_answer_is_an_error, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
