//  test_qemu_plug_tell.c: options of the command line become commands of QMP.

#include "drivers/qemu/plug/qemu_plug_parts.h"
#include "fake_job.h"
#include "unit.h"
#include "unit_xml.h"

static const struct {
    const char *option, *json;
} chardevs[] = {
    { "pty,id=c", "{\"backend\":{\"data\":{},\"type\":\"pty\"},\"id\":\"c\"}" },
    { "file,id=c,path=/a,,b,append=on", "{\"backend\":{\"data\":{\"append\":true,\"out\":\"/"
                                        "a,b\"},\"type\":\"file\"},\"id\":\"c\"}" },
    { "socket,id=c,path=/s,server=on,wait=off,logfile=/l,logappend=off",
      "{\"backend\":{\"data\":{\"addr\":{\"data\":{\"path\":\"/s\"},\"type\":\"unix\"},"
      "\"logappend\":false,\"logfile\":\"/l\",\"server\":true,\"wait\":false},\"type\":\"socket\"},"
      "\"id\":\"c\"}" },
    { "socket,id=c,host=h,port=7,telnet=on,reconnect=5",
      "{\"backend\":{\"data\":{\"addr\":{\"data\":{\"host\":\"h\",\"port\":\"7\"},\"type\":"
      "\"inet\"},"
      "\"reconnect\":5,\"server\":false,\"telnet\":true},\"type\":\"socket\"},\"id\":\"c\"}" },
    { "pipe,id=c,path=/p",
      "{\"backend\":{\"data\":{\"device\":\"/p\"},\"type\":\"pipe\"},\"id\":\"c\"}" },
};

static void test_chardev (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof chardevs / sizeof *chardevs; i++) {
        json_auto_t *json = qemu_plug_chardev (chardevs[i].option);
        char *text = json_dumps (json, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal (text, chardevs[i].json);
        free (text);
    }
}

static void test_options (void **state)
{
    (void) state;
    static char root[] = "/nowhere";
    error_t err = { 0 };
    fake_job_t fake;
    auto(strings_t) options = strings_new ();
    fake_job_init (&fake, root);
    fake.guest.live = unit_xml ("<domain/>");
    strings_add (options, "-action");
    strings_add (options, "watchdog=reset");
    strings_add (options, "-device");
    strings_add (options, "{\"driver\":\"d\",\"id\":\"x\"}");
    assert_int_equal (qemu_plug_options (&fake.job, options, &err), 0);
    assert_string_equal (fake.trace, "qmp set-action {\"watchdog\":\"reset\"}\n"
                                     "qmp device_add {\"driver\":\"d\",\"id\":\"x\"}\n");
    assert_true (fake.job.closed);
    strings_add (options, "-global");
    strings_add (options, "isa-fdc.bootindexA=1");
    assert_int_equal (qemu_plug_options (&fake.job, options, &err), -1);
    assert_non_null (strstr (err.message, "-global"));
    fake_job_clear (&fake);
}

//  QEMU has all of it before it answers.
static void test_memory_takes_its_time (void **state)
{
    (void) state;
    static char root[] = "/nowhere";
    error_t err = { 0 };
    fake_job_t fake;
    auto(strings_t) options = strings_new ();
    fake_job_init (&fake, root);
    fake.guest.live = unit_xml ("<domain><memoryBacking><locked/></memoryBacking>"
                                "<memory unit='GiB'>512</memory></domain>");
    strings_add (options, "-object");
    strings_add (options, "{\"qom-type\":\"memory-backend-ram\",\"id\":\"x\"}");
    assert_int_equal (qemu_plug_options (&fake.job, options, &err), 0);
    assert_in_range (fake.qmp_ms, 512000, 1800000);
    fake_job_clear (&fake);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_chardev),
        cmocka_unit_test (test_options),
        cmocka_unit_test (test_memory_takes_its_time),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
