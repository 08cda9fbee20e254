//  test_device.c: the devices of links, opened in a network namespace of the test's own.

#include "util/device.h"
#include "util/auto.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

//  Whether the test may do as it likes with links.
static bool own_network;

static void need_network (void)
{
    if (!own_network) {
        print_message ("only root can make a network namespace: skipped\n");
        skip ();
    }
}

static void texts_are_read_back (void **state)
{
    (void) state;
    static const device_t devices[] = { { DEVICE_FILE, 0, "/dev/vhost-net" },
                                        { DEVICE_TAP, 7, "vnet0" },
                                        { DEVICE_TAP_QUEUE, 4294967295, "a:b" },
                                        { DEVICE_MACVTAP, 12, "macvtap0" } };
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        device_t read;
        autofree char *text = device_text (&devices[i]);
        assert_true (device_read (text, &read));
        assert_int_equal (read.kind, devices[i].kind);
        assert_int_equal (read.ifindex, devices[i].ifindex);
        assert_string_equal (read.name, devices[i].name);
    }
}

static void other_texts_are_refused (void **state)
{
    (void) state;
    static const char *const texts[] = { "",
                                         "tap",
                                         "tap:7",
                                         "tap:7:",
                                         "tap:0:vnet0",
                                         "tap:x:vnet0",
                                         "tun:7:vnet0",
                                         "tap:7:a-name-of-16-char",
                                         "tap:7:a/b",
                                         "file:0:relative",
                                         "file:7:/dev/null" };
    device_t device;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false (device_read (texts[i], &device));
}

static void only_character_devices_are_opened (void **state)
{
    (void) state;
    error_t err;
    autoclose int fd = device_open (&(device_t){ DEVICE_FILE, 0, "/dev/null" }, &err);
    assert_true (fd >= 0);
    assert_true (fcntl (fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal (device_open (&(device_t){ DEVICE_FILE, 0, "/etc/passwd" }, &err), -1);
    assert_string_equal (err.message, "open '/etc/passwd': it is no character device");
    assert_int_equal (device_open (&(device_t){ DEVICE_FILE, 0, "/dev/none" }, &err), -1);
    assert_string_equal (err.message, "open the device '/dev/none': No such file or directory");
}

//  A tap that stays until the namespace goes; its name.
static void make_tap (const char *name, short flags)
{
    struct ifreq request = { .ifr_flags = (short) (IFF_TAP | IFF_NO_PI | flags) };
    strcpy (request.ifr_name, name);
    autoclose int fd = open ("/dev/net/tun", O_RDWR | O_CLOEXEC);
    assert_true (fd >= 0);
    assert_int_equal (ioctl (fd, TUNSETIFF, &request), 0);
    assert_int_equal (ioctl (fd, TUNSETPERSIST, 1), 0);
}

static void tap_is_known_by_its_index (void **state)
{
    (void) state;
    need_network ();
    error_t err;
    make_tap ("one", 0);
    device_t device = { DEVICE_TAP, if_nametoindex ("one"), "one" };
    autoclose int fd = device_open (&device, &err);
    assert_true (fd >= 0);
    //  It has one queue.
    assert_int_equal (device_open (&device, &err), -1);
    assert_string_equal (err.message, "open a queue of the link 'one': Device or resource busy");
    close (fd);
    fd = -1;
    device.ifindex += 100;
    assert_int_equal (device_open (&device, &err), -1);
    assert_non_null (strstr (err.message, "another link was given its name"));
    assert_true (if_nametoindex ("one") > 0);
}

static void no_tap_is_made (void **state)
{
    (void) state;
    need_network ();
    error_t err;
    assert_int_equal (device_open (&(device_t){ DEVICE_TAP, 1000, "none" }, &err), -1);
    assert_int_equal (if_nametoindex ("none"), 0);
}

static void tap_has_many_queues (void **state)
{
    (void) state;
    need_network ();
    error_t err;
    make_tap ("many", IFF_MULTI_QUEUE);
    device_t device = { DEVICE_TAP_QUEUE, if_nametoindex ("many"), "many" };
    autoclose int first = device_open (&device, &err);
    autoclose int second = device_open (&device, &err);
    assert_true (first >= 0 && second >= 0);
    device.kind = DEVICE_TAP;
    assert_int_equal (device_open (&device, &err), -1);
    assert_string_equal (err.message, "open a queue of the link 'many': Invalid argument");
}

static int open_folder (char *folder)
{
    assert_non_null (mkdtemp (folder));
    return open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

//  In a /dev of our own: neither udev nor the kernel put anything there. Who is killed leaves a
//  folder, which goes with the next one; that of somebody who is at it does not.
static void macvtap_needs_no_udev (void **state)
{
    (void) state;
    need_network ();
    error_t err;
    if (system ("ip link add lower type veth peer name other && "
                "ip link add link lower name direct type macvtap mode bridge"))
        skip (); //  this kernel has none
    device_t device = { DEVICE_MACVTAP, if_nametoindex ("direct"), "direct" };
    assert_int_equal (mount ("none", "/dev", "tmpfs", 0, NULL), 0);
    char left[] = "/dev/troupe-XXXXXX", used[] = "/dev/troupe-XXXXXX";
    close (open_folder (left));
    autoclose int lock = open_folder (used);
    assert_int_equal (flock (lock, LOCK_EX), 0);
    autoclose int fd = device_open (&device, &err);
    bool swept = access (left, F_OK) != 0, kept = access (used, F_OK) == 0;
    int alone = rmdir (used) || umount2 ("/dev", MNT_DETACH);
    if (fd < 0)
        fail_msg ("%s", err.message);
    assert_true (swept && kept && alone == 0);
    device.ifindex += 100;
    assert_int_equal (device_open (&device, &err), -1);
    assert_non_null (strstr (err.message, "there is neither /dev/tap"));
}

//  With a view of the links in /sys.
static bool leave_network (void)
{
    return unshare (CLONE_NEWNET | CLONE_NEWNS) == 0 &&
           mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount ("sysfs", "/sys", "sysfs", 0, NULL) == 0;
}

int main (void)
{
    own_network = leave_network ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (texts_are_read_back),
        cmocka_unit_test (other_texts_are_refused),
        cmocka_unit_test (only_character_devices_are_opened),
        cmocka_unit_test (tap_is_known_by_its_index),
        cmocka_unit_test (no_tap_is_made),
        cmocka_unit_test (tap_has_many_queues),
        cmocka_unit_test (macvtap_needs_no_udev),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
