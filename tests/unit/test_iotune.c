//  test_iotune.c: limits of disks: what goes together, and what a request changes.

#include "drivers/iotune.h"
#include "msg/pack.h"
#include "unit_xml.h"
#include "util/text.h"

#include <string.h>

static error_t err;

static xml_t *parse (const char *vda, const char *vdb)
{
    return unit_xmlf ("<domain><devices><disk><source file='/a'/><target dev='vda'/>"
                      "%s</disk><disk><source dev='/b'/><target dev='vdb'/>%s</disk>"
                      "</devices></domain>",
                      vda, vdb);
}

//  "read_iops_sec=5 ..." as a request.
static int set (const xml_t *document, const char *disk, const char *words)
{
    pack_t pack;
    pack_init (&pack);
    pack_map (&pack);
    autofree char *copy = text_copy (words);
    char *rest = copy, *word;
    while ((word = strsep (&rest, " "))) {
        char *value = strchr (word, '=');
        uint64_t number = 0;
        if (!value)
            continue;
        *value++ = 0;
        if (text_to_u64 (value, &number))
            pack_key_u64 (&pack, word, number);
        else
            pack_key_str (&pack, word, value);
    }
    pack_end (&pack);
    auto(document_t) args = document_parse (pack.bytes, pack.size, VALUE_MAX_BYTES, &err);
    int rc = iotune_set (xml_root (document), disk, document_root (args), &err);
    pack_close (&pack);
    return rc;
}

//  What is set of a disk.
static char *show (const xml_t *document, const char *name)
{
    const xml_node_t *disk = iotune_disk (xml_root (document), name, &err);
    auto(text_t) text = text_new ();
    for (const iotune_t *limit = iotunes; limit->field; limit++)
        if (iotune_get (disk, limit))
            text_addf (text, "%s=%llu ", limit->field,
                       (unsigned long long) iotune_get (disk, limit));
    text_addf (text, "%s", iotune_group (disk) ? iotune_group (disk) : "");
    return text_finish (&text);
}

#define assert_shows(document, disk, expected)                                                     \
    do {                                                                                           \
        autofree char *shown = show (document, disk);                                              \
        assert_string_equal (shown, expected);                                                     \
    } while (0)

static void test_what_is_set_replaces (void **state)
{
    (void) state;
    auto(xml_t) document = parse ("", "");
    assert_int_equal (set (document, "vda", "read_bytes_sec=10 read_bytes_sec_max=20"), 0);
    assert_int_equal (set (document, "/a", "total_iops_sec=7"), 0);
    assert_shows (document, "vda", "read_bytes_sec=10 total_iops_sec=7 read_bytes_sec_max=20 ");
    //  The other limits of bytes go, and the bursts with them.
    assert_int_equal (set (document, "vda", "write_bytes_sec=5"), 0);
    assert_shows (document, "vda", "write_bytes_sec=5 total_iops_sec=7 ");
    assert_int_equal (set (document, "vda", "total_iops_sec=0 write_bytes_sec=0"), 0);
    assert_null (xml_find (iotune_disk (xml_root (document), "vda", &err), "iotune"));
}

static void test_groups (void **state)
{
    (void) state;
    auto(xml_t) document = parse ("<iotune><group_name>g</group_name></iotune>", "");
    assert_int_equal (set (document, "/b", "group_name=g total_iops_sec=7"), 0);
    assert_shows (document, "vda", "total_iops_sec=7 g");
    assert_int_equal (set (document, "vda", "group_name= total_iops_sec=9"), 0);
    assert_shows (document, "vda", "total_iops_sec=9 ");
    assert_shows (document, "vdb", "total_iops_sec=7 g");
}

static void test_what_contradicts (void **state)
{
    static const char *const wrong[][2] = {
        { "", "names nothing" },
        { "total_bytes_sec=x", "no number" },
        { "total_bytes_sec=1000000000000001", "at most" },
        { "total_bytes_sec=1 write_bytes_sec=1", "total_bytes_sec excludes" },
        { "read_iops_sec=1 total_iops_sec_max=5 read_iops_sec_max=5", "excludes" },
        { "total_iops_sec_max=5", "not set" },
        { "total_iops_sec=9 total_iops_sec_max=5", "larger" },
        { "total_iops_sec_max_length=5", "it goes with" },
        { "size_iops_sec=4096", "limit of operations" },
    };
    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        auto(xml_t) document = parse ("", "");
        assert_int_equal (set (document, "vda", wrong[i][0]), -1);
        assert_int_equal (err.code, ERR_INVALID_ARG);
        if (!strstr (err.message, wrong[i][1]))
            fail_msg ("%s: %s", wrong[i][0], err.message);
    }
    auto(xml_t) document = parse ("<iotune><read_iops_sec>x</read_iops_sec></iotune>", "");
    assert_int_equal (set (document, "vdc", "total_iops_sec=1"), -1);
    assert_non_null (strstr (err.message, "no disk 'vdc'"));
    const xml_node_t *disk = iotune_disk (xml_root (document), "vda", &err);
    assert_int_equal (iotune_check (disk, &err), -1);
    assert_int_equal (err.code, ERR_XML_ERROR);
    assert_non_null (strstr (err.message, "disk 'vda'"));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_what_is_set_replaces),
        cmocka_unit_test (test_groups),
        cmocka_unit_test (test_what_contradicts),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
