//  test_tune.c: what domain XML says of resources: read, changed and shown as libvirt's parameters.

#include "drivers/tune/tune.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

static const tune_t *find (const char *field)
{
    const tune_t *tune = tunes;
    while (tune->field && strcmp (tune->field, field) != 0)
        tune++;
    assert_non_null (tune->field);
    return tune;
}

static document_t *value_of (const char *text, int64_t number)
{
    pack_t pack;
    error_t err;
    pack_init (&pack);
    if (text)
        pack_str (&pack, text);
    else
        pack_i64 (&pack, number);
    document_t *value = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    pack_close (&pack);
    return value;
}

static int set (xml_t *document, const char *field, const char *text, int64_t number, error_t *err)
{
    static const driver_t any = { .name = "any" };
    auto(document_t) value = value_of (text, number);
    return tune_set (xml_root (document), &any, find (field), document_root (value), err);
}

//  Each change, and the whole document after it.
static void changes (void **state)
{
    (void) state;
    static const struct {
        const char *field, *text;
        int64_t number;
        const char *after;
    } steps[] = {
        { "hard_limit", NULL, 512,
          "<memtune><hard_limit unit='KiB'>512</hard_limit></memtune><vcpu>1</vcpu>" },
        { "hard_limit", NULL, -1, "<vcpu>1</vcpu>" },
        { "soft_limit", NULL, TUNE_UNLIMITED, "<vcpu>1</vcpu>" },
        { "vcpu_quota", NULL, -17, "<vcpu>1</vcpu><cputune><quota>-1</quota></cputune>" },
        { "cpu_shares", NULL, 512,
          "<vcpu>1</vcpu><cputune><quota>-1</quota><shares>512</shares></cputune>" },
        { "vcpu_quota", NULL, 0, "<vcpu>1</vcpu><cputune><shares>512</shares></cputune>" },
        { "cpu_shares", NULL, 0, "<vcpu>1</vcpu>" },
        { "device_weight", "/dev/a,100,/dev/b,200", 0,
          "<blkiotune><device><path>/dev/a</path><weight>100</weight></device><device>"
          "<path>/dev/b</path><weight>200</weight></device></blkiotune><vcpu>1</vcpu>" },
        { "device_read_iops_sec", "/dev/b,7", 0,
          "<blkiotune><device><path>/dev/a</path><weight>100</weight></device><device>"
          "<path>/dev/b</path><weight>200</weight><read_iops_sec>7</read_iops_sec></device>"
          "</blkiotune><vcpu>1</vcpu>" },
        { "device_weight", "/dev/a,0,/dev/b,0", 0,
          "<blkiotune><device><path>/dev/b</path><read_iops_sec>7</read_iops_sec></device>"
          "</blkiotune><vcpu>1</vcpu>" },
        { "device_read_iops_sec", "/dev/b,0", 0, "<vcpu>1</vcpu>" },
        { "numa_nodeset", "0-1", 0, "<vcpu>1</vcpu><numatune><memory nodeset='0-1'/></numatune>" },
        { "numa_mode", NULL, 3,
          "<vcpu>1</vcpu><numatune><memory nodeset='0-1' mode='restrictive'/></numatune>" },
    };
    auto(xml_t) document = unit_xml ("<domain><vcpu>1</vcpu></domain>");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        error_t err = { 0 };
        if (set (document, steps[i].field, steps[i].text, steps[i].number, &err))
            fail_msg ("%s: %s", steps[i].field, err.message);
        autofree char *text = text_format ("<domain>%s</domain>", steps[i].after);
        auto(xml_t) wanted = unit_xml (text);
        autofree char *has = xml_text (document);
        autofree char *wants = xml_text (wanted);
        assert_string_equal (has, wants);
    }
}

static void refuses_values (void **state)
{
    (void) state;
    static const struct {
        const char *field, *text;
        int64_t number;
    } wrong[] = {
        { "vcpu_period", NULL, 999 },
        { "vcpu_period", NULL, -1 },
        { "vcpu_quota", NULL, 5 },
        { "cpu_shares", NULL, 262145 },
        { "weight", NULL, 1001 },
        { "hard_limit", "much", 0 },
        { "numa_mode", NULL, 4 },
        { "numa_nodeset", "a", 0 },
        { "numa_nodeset", NULL, 1 },
        { "device_weight", "/dev/a", 0 },
        { "device_weight", "/dev/a,100,b,100", 0 },
        { "device_weight", "/dev/a,100,/dev/b,5", 0 },
        { "device_weight", "/dev/a,100,/dev/b,x", 0 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error_t err = { 0 };
        auto(xml_t) document = unit_xml ("<domain><vcpu>1</vcpu></domain>");
        if (set (document, wrong[i].field, wrong[i].text, wrong[i].number, &err) != -1)
            fail_msg ("%s was taken", wrong[i].field);
        assert_true (strstr (err.message, wrong[i].field) || err.code == ERR_XML_ERROR ||
                     strstr (err.message, "/dev/b"));
        autofree char *text = xml_text (document);
        assert_null (strstr (text, "tune"));
    }
}

static void completes (void **state)
{
    (void) state;
    error_t err = { 0 };
    auto(xml_t) document =
        unit_xml ("<domain><memtune><hard_limit unit='MiB'>2</hard_limit><soft_limit>0</soft_limit>"
                  "</memtune><numatune><memory nodeset='0'/></numatune></domain>");
    if (tune_check (xml_root (document), &err))
        fail_msg ("%s", err.message);
    autofree char *text = xml_text (document);
    assert_non_null (strstr (text, "<hard_limit unit='KiB'>2048</hard_limit>"));
    assert_null (strstr (text, "soft_limit"));
    assert_non_null (strstr (text, "mode='strict'"));
}

static void refuses_documents (void **state)
{
    (void) state;
    static const char *const wrong[][2] = {
        { "<memtune><hard_limit>20</hard_limit><swap_hard_limit>10</swap_hard_limit></memtune>",
          "swap_hard_limit is less" },
        { "<cputune><shares>many</shares></cputune>", "'many' is no number" },
        { "<cputune><period>1</period></cputune>", "cputune/period" },
        { "<numatune><memory mode='strict'/></numatune>", "no nodeset" },
        { "<numatune><memory mode='odd' nodeset='0'/></numatune>", "'odd'" },
        { "<blkiotune><device><path>a</path></device></blkiotune>", "blkiotune/device/path 'a'" },
        { "<blkiotune><device><path>/a</path></device><device><path>/a</path></device></blkiotune>",
          "'/a' stands there twice" },
        { "<blkiotune><device><path>/a</path><weight>1</weight></device></blkiotune>",
          "weight '1'" },
        { "<vcpu cpuset='x'>1</vcpu>", "vcpu/@cpuset" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error_t err = { 0 };
        autofree char *text = text_format ("<domain>%s</domain>", wrong[i][0]);
        auto(xml_t) document = unit_xml (text);
        if (tune_check (xml_root (document), &err) == 0 || !strstr (err.message, wrong[i][1]) ||
            err.code != ERR_XML_ERROR)
            fail_msg ("%s: '%s'", wrong[i][0], err.message);
    }
}

static void shows (void **state)
{
    (void) state;
    auto(xml_t) document = unit_xml (
        "<domain><memtune><hard_limit unit='KiB'>2048</hard_limit></memtune><blkiotune><device>"
        "<path>/dev/a</path><weight>100</weight></device></blkiotune><vcpu cpuset='0'>2</vcpu>"
        "<iothreads>1</iothreads><cputune><quota>-1</quota><vcpupin vcpu='1' cpuset='0-1'/>"
        "<emulatorpin cpuset='1'/></cputune><numatune><memory mode='interleave' nodeset='0'/>"
        "</numatune></domain>");
    pack_t pack;
    error_t err;
    pack_init (&pack);
    tune_pack (&pack, xml_root (document));
    auto(document_t) packed = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    const value_t *map = document_root (packed);
    assert_int_equal (value_get_i64 (map, "hard_limit", 0), 2048);
    assert_string_equal (value_get_str (map, "device_weight"), "/dev/a,100");
    assert_int_equal (value_get_i64 (map, "vcpu_quota", 0), -1);
    assert_int_equal (value_get_i64 (map, "numa_mode", -1), 2);
    assert_int_equal (value_count (value_get (map, "iothreads")), 1);
    assert_string_equal (value_get_str (map, "emulator_pin"), "1");
    assert_string_equal (value_get_str (map, "cpuset"), "0");
    const value_t *pin = value_at (value_get (map, "vcpu_pins"), 0);
    assert_int_equal (value_get_i64 (pin, "number", -1), 1);
    assert_string_equal (value_get_str (pin, "cpus"), "0-1");

    //  What is not set is shown as the default.
    pack_clear (&pack);
    pack_map (&pack);
    tune_pack_field (&pack, find ("soft_limit"), map);
    tune_pack_field (&pack, find ("hard_limit"), map);
    tune_pack_field (&pack, find ("device_read_iops_sec"), map);
    pack_end (&pack);
    auto(document_t) shown = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    assert_int_equal (value_get_i64 (document_root (shown), "soft_limit", 0), TUNE_UNLIMITED);
    assert_int_equal (value_get_i64 (document_root (shown), "hard_limit", 0), 2048);
    assert_string_equal (value_get_str (document_root (shown), "device_read_iops_sec"), "");
    pack_close (&pack);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (changes),   cmocka_unit_test (refuses_values),
        cmocka_unit_test (completes), cmocka_unit_test (refuses_documents),
        cmocka_unit_test (shows),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
