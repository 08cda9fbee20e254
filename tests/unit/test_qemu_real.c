//  test_qemu_real.c: the driver against the QEMU of this machine: probed, started with all kinds of
//  devices, asked, adopted and ended. The guests have nothing to boot; what they show is that QEMU
//  takes the command lines.

#include "drivers/driver.h"
#include "drivers/qemu/probe/qemu_caps.h"
#include "drivers/qemu/qemu_driver.h"
#include "drivers/state.h"
#include "real_job.h"
#include "util/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define EMULATOR "/usr/bin/qemu-system-x86_64"

static real_job_t real;
static job_ops_t ops;

static int setup (void **state)
{
    (void) state;
    real_job_init (&real);
    real.fake.job.ops = real_ops (&ops);
    if (access (EMULATOR, X_OK) == 0) {
        error_t err = { 0 };
        real.caps = qemu_probe (&real.fake.job, EMULATOR, &err);
        if (!real.caps)
            fail_msg ("%s", err.message);
        real.fake.undo_count = 0;
    }
    return 0;
}

static int teardown (void **state)
{
    (void) state;
    real_job_remove (&real);
    return 0;
}

static void make_disk (const char *name)
{
    autofree char *path = text_format ("%s/%s", real.root, name);
    int fd = open (path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal (ftruncate (fd, 1 << 20), 0);
    close (fd);
}

//  Completes and starts a guest with these devices; it is destroyed with end_guest.
static void start_guest (const char *machine, const char *more, const char *devices)
{
    if (!real.caps)
        skip ();
    error_t err = { 0 };
    guest_t *guest = &real.fake.guest;
    memset (guest, 0, sizeof *guest);
    make_disk ("a.img");
    make_disk ("b.img");
    autofree char *text =
        text_format ("<domain type='qemu'><name>real</name><memory unit='MiB'>64</memory>"
                     "<os><type machine='%s'>hvm</type></os><features><acpi/></features>%s"
                     "<devices>%s</devices></domain>",
                     machine, more, devices);
    guest->definition = xml_parse (text, strlen (text), "domain XML", &err);
    if (!guest->definition || qemu_driver.complete (&real.fake.job, guest->definition, &err))
        fail_msg ("%s", err.message);
    guest->name = text_copy ("real");
    guest->id = 7;
    snprintf (guest->uuid, sizeof guest->uuid, "%s",
              xml_string (xml_root (guest->definition), "uuid"));
    real.fake.trace[0] = 0;
    real.fake.undo_count = 0; //  a new job
    if (qemu_driver.start (&real.fake.job, 0, &err))
        fail_msg ("%s", err.message);
}

static void forget_guest (void)
{
    guest_t *guest = &real.fake.guest;
    free (guest->name);
    xml_destroy (&guest->definition);
    xml_destroy (&guest->live);
    xml_destroy (&guest->record);
}

static void end_guest (void)
{
    error_t err = { 0 };
    if (qemu_driver.destroy (&real.fake.job, false, &err))
        fail_msg ("%s", err.message);
    assert_int_equal (qemu_driver.destroy (&real.fake.job, false, &err), 0);
    assert_int_equal (real.fake.guest.status.state, STATE_SHUTOFF);
    forget_guest ();
}

static const char *live (const char *path)
{
    const char *text = xml_string (xml_root (real.fake.guest.live), path);
    return text ? text : "";
}

static void test_a_serial_console_has_its_pty (void **state)
{
    (void) state;
    start_guest ("pc", "", "<serial/>");
    assert_int_equal (real.fake.guest.status.state, STATE_RUNNING);
    assert_string_equal (live ("@id"), "7");
    console_source_t source;
    error_t err = { 0 };
    assert_int_equal (qemu_driver.console (real.fake.guest.live, NULL, &source, &err), 0);
    assert_int_equal (source.kind, CONSOLE_PTY);
    assert_string_equal (source.alias, "serial0");
    assert_true (text_starts (source.path, "/dev/pts/"));
    end_guest ();
}

//  QEMU gives all that it said it could: with check 'full' it would not start otherwise.
static void test_the_host_model (void **state)
{
    (void) state;
    start_guest ("q35", "<cpu mode='host-model'/>", "");
    assert_string_equal (live ("cpu/@mode"), "custom");
    assert_string_equal (live ("cpu/@check"), "full");
    assert_true (*live ("cpu/model") && *live ("cpu/feature/@name"));
    end_guest ();
}

static void test_the_intent_is_recorded_before_each_effect (void **state)
{
    (void) state;
    start_guest ("pc", "", "");
    char *trace = real.fake.trace;
    char *socket = strstr (trace, "undo file"), *process = strstr (trace, "undo process");
    assert_non_null (socket);
    assert_non_null (process);
    assert_true (strstr (socket, "record") < process);
    assert_non_null (strstr (process, "record"));
    end_guest ();
}

static void test_i440fx_with_all_kinds_of_devices (void **state)
{
    (void) state;
    autofree char *devices = text_format (
        "<disk><source file='%s/a.img'/><target dev='vda'/><driver cache='none' io='threads'/>"
        "<serial>one</serial></disk>"
        "<disk device='cdrom'><target dev='hdc'/></disk>"
        "<disk device='floppy'><target dev='fda'/></disk>"
        "<disk><source file='%s/b.img'/><target dev='sda'/><readonly/></disk>"
        "<controller type='scsi' model='virtio-scsi'/>"
        "<controller type='usb' model='ich9-ehci1'/>"
        "<interface type='user'><model type='virtio'/><link state='down'/></interface>"
        "<interface type='user'><model type='e1000'/></interface>"
        "<serial type='pty'/><serial type='null'/><parallel type='null'/>"
        "<console><target type='virtio'/></console>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
        "<input type='tablet'/><input type='keyboard' bus='virtio'/>"
        "<graphics type='vnc' passwd='secret'/><video><model type='qxl'/></video>"
        "<sound model='ich6'/><watchdog model='i6300esb'/>"
        "<rng model='virtio'><rate bytes='1024'/><backend model='random'/></rng>"
        "<memballoon model='virtio'><stats period='5'/></memballoon><panic/>",
        real.root, real.root);
    start_guest ("pc",
                 "<vcpu current='1' cpuset='0'>2</vcpu><iothreads>1</iothreads>"
                 "<clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/>"
                 "<timer name='hpet' present='no'/></clock>"
                 "<pm><suspend-to-mem enabled='no'/></pm>",
                 devices);
    assert_true (atoi (live ("devices/graphics/@port")) >= 5900);
    assert_true (text_ends (live ("devices/channel/source/@path"), "/channel0"));
    end_guest ();
}

static void test_q35_with_all_kinds_of_devices (void **state)
{
    (void) state;
    autofree char *devices =
        text_format ("<disk><source file='%s/a.img'/><target dev='vda'/><driver queues='2'/></disk>"
                     "<disk><source file='%s/b.img'/><target dev='sda' bus='sata'/></disk>"
                     "<disk device='cdrom'><target dev='sdb' bus='sata'/></disk>"
                     "<disk device='floppy'><target dev='fda'/></disk>"
                     "<interface type='user'><model type='virtio'/></interface>"
                     "<interface type='user'><model type='rtl8139'/></interface>"
                     "<interface type='user'><model type='e1000e'/></interface>"
                     "<serial/><channel type='pty'><target type='virtio' name='a'/></channel>"
                     "<input type='tablet'/><graphics type='vnc'><listen type='socket'/></graphics>"
                     "<video><model type='virtio'/></video><sound model='ich9'/>"
                     "<rng model='virtio'><backend model='builtin'/></rng>",
                     real.root, real.root);
    start_guest ("q35", "<cpu mode='maximum'/><vcpu>2</vcpu>", devices);
    end_guest ();
}

static void test_figures_and_passthrough (void **state)
{
    (void) state;
    start_guest ("pc", "", "");
    guest_info_t info;
    error_t err = { 0 };
    char *reply = NULL;
    assert_int_equal (qemu_driver.info (&real.fake.job, &info, &err), 0);
    assert_int_equal (info.memory_kib, 64 * 1024);
    assert_true (info.rss_kib > 0);
    assert_int_equal (qemu_driver.monitor_command (&real.fake.job,
                                                   "{\"execute\":\"query-name\",\"id\":3}", 0, NULL,
                                                   &reply, &err),
                      0);
    assert_string_equal (reply, "{\"return\":{\"name\":\"real\"},\"id\":3}");
    free (reply);
    assert_int_equal (qemu_driver.monitor_command (&real.fake.job, "info name", MONITOR_HUMAN, NULL,
                                                   &reply, &err),
                      0);
    assert_non_null (strstr (reply, "real"));
    free (reply);
    end_guest ();
}

static void test_pausing_and_adopting (void **state)
{
    (void) state;
    start_guest ("pc", "", "");
    error_t err = { 0 };
    siginfo_t info;
    guest_t *guest = &real.fake.guest;
    assert_int_equal (qemu_driver.suspend (&real.fake.job, &err), 0);
    assert_int_equal (guest->status.state, STATE_PAUSED);
    //  Another daemon: nothing but the record, and an old state.
    real_monitor_close (&real.fake.job, &err);
    guest->status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    assert_int_equal (qemu_driver.adopt (&real.fake.job, &err), 0);
    assert_int_equal (guest->status.state, STATE_PAUSED);
    //  It is killed while the daemon is away.
    real_monitor_close (&real.fake.job, &err);
    kill (real.pid, SIGKILL);
    assert_int_equal (waitid (P_PID, (id_t) real.pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal (qemu_driver.adopt (&real.fake.job, &err), 0);
    assert_int_equal (guest->status.state, STATE_SHUTOFF);
    assert_int_equal (guest->status.reason, SHUTOFF_CRASHED);
    forget_guest ();
}

static void test_the_last_words_of_a_qemu_that_refuses (void **state)
{
    (void) state;
    if (!real.caps)
        skip ();
    error_t err = { 0 };
    guest_t *guest = &real.fake.guest;
    memset (guest, 0, sizeof *guest);
    const char *text = "<domain type='qemu'><name>real</name><memory>65536</memory>"
                       "<os><type>hvm</type><kernel>/etc/hostname</kernel></os></domain>";
    guest->definition = xml_parse (text, strlen (text), "domain XML", &err);
    guest->name = text_copy ("real");
    snprintf (guest->uuid, sizeof guest->uuid, "11111111-2222-4333-8444-555555555555");
    assert_int_equal (qemu_driver.complete (&real.fake.job, guest->definition, &err), 0);
    assert_int_equal (qemu_driver.start (&real.fake.job, 0, &err), -1);
    assert_true (text_starts (err.message, "start domain 'real': QEMU ended at its start"));
    assert_non_null (strstr (err.message, "kernel"));
    assert_int_equal (qemu_driver.destroy (&real.fake.job, false, &err), 0);
    forget_guest ();
}

static void test_a_missing_disk_is_named (void **state)
{
    (void) state;
    if (!real.caps)
        skip ();
    error_t err = { 0 };
    guest_t *guest = &real.fake.guest;
    memset (guest, 0, sizeof *guest);
    const char *text = "<domain type='qemu'><name>real</name><memory>65536</memory>"
                       "<os><type>hvm</type></os><devices><disk><source file='/no/such.img'/>"
                       "<target dev='vda'/></disk></devices></domain>";
    guest->definition = xml_parse (text, strlen (text), "domain XML", &err);
    guest->name = text_copy ("real");
    snprintf (guest->uuid, sizeof guest->uuid, "11111111-2222-4333-8444-555555555555");
    assert_int_equal (qemu_driver.complete (&real.fake.job, guest->definition, &err), 0);
    assert_int_equal (qemu_driver.start (&real.fake.job, 0, &err), -1);
    assert_string_equal (err.message, "start domain 'real': disk 'vda': can't use the file "
                                      "'/no/such.img': No such file or directory");
    forget_guest ();
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_serial_console_has_its_pty),
        cmocka_unit_test (test_the_host_model),
        cmocka_unit_test (test_the_intent_is_recorded_before_each_effect),
        cmocka_unit_test (test_i440fx_with_all_kinds_of_devices),
        cmocka_unit_test (test_q35_with_all_kinds_of_devices),
        cmocka_unit_test (test_figures_and_passthrough),
        cmocka_unit_test (test_pausing_and_adopting),
        cmocka_unit_test (test_the_last_words_of_a_qemu_that_refuses),
        cmocka_unit_test (test_a_missing_disk_is_named),
    };
    return cmocka_run_group_tests (tests, setup, teardown);
}
