//  test_snapshot_xml.c: from what a user asks for to what is kept of a snapshot.

#include "drivers/snapshot_xml.h"
#include "util/text.h"
#include "unit_xml.h"

#include <stdio.h>
#include <string.h>

#define UUID "11111111-2222-3333-4444-555555555555"

static const char domain_text[] =
    "<domain type='qemu'><name>web</name><uuid>" UUID "</uuid><devices>"
    "<disk type='file' device='disk'><driver type='qcow2'/><source file='/i/web.qcow2'/>"
    "<target dev='vda'/></disk>"
    "<disk type='block' device='disk'><driver type='qcow2'/><source dev='/dev/x'/>"
    "<target dev='vdb'/></disk>"
    "<disk type='file' device='cdrom'><source file='/i/cd.iso'/><target dev='sda'/><readonly/>"
    "</disk></devices></domain>";

//  INSIDE: of <domainsnapshot>, or NULL: no wishes at all.
static xml_t *make (const char *inside, bool active, bool disk_only, error_t *err)
{
    auto(xml_t) domain = unit_xml (domain_text);
    autofree char *text =
        inside ? text_format ("<domainsnapshot>%s</domainsnapshot>", inside) : NULL;
    auto(xml_t) given = text ? unit_xml (text) : NULL;
    snapshot_basis_t basis = { .domain = domain,
                               .state = active ? STATE_PAUSED : STATE_SHUTOFF,
                               .active = active,
                               .disk_only = disk_only,
                               .parent = "before",
                               .now_s = 1700000000 };
    return snapshot_xml_make (given, &basis, err);
}

static const char *place_of (const xml_t *doc, const char *disk)
{
    xml_foreach (each, xml_find (xml_root (doc), "disks"), "disk")
        if (xml_equals (each, "@name", disk))
            return xml_string (each, "@snapshot");
    return NULL;
}

static const char *file_of (const xml_t *doc, const char *disk)
{
    xml_foreach (each, xml_find (xml_root (doc), "disks"), "disk")
        if (xml_equals (each, "@name", disk))
            return snapshot_disk_source (each);
    return NULL;
}

static void test_defaults (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) doc = make (NULL, true, false, &err);
    assert_non_null (doc);
    const xml_node_t *root = xml_root (doc);
    assert_string_equal (snapshot_name (root), "1700000000");
    assert_string_equal (xml_string (root, "creationTime"), "1700000000");
    assert_string_equal (xml_string (root, "state"), "paused");
    assert_string_equal (snapshot_parent (root), "before");
    assert_int_equal (snapshot_memory (root), SNAPSHOT_INTERNAL);
    assert_string_equal (place_of (doc, "vda"), "internal");
    assert_string_equal (place_of (doc, "sda"), "no");
    assert_false (snapshot_is_external (root));
    assert_true (snapshot_was_active (root));
    auto(xml_t) domain = snapshot_domain (root, true);
    assert_string_equal (xml_string (xml_root (domain), "uuid"), UUID);
}

static void test_shut_off (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) doc = make ("<name>one</name><description>d</description>", false, false, &err);
    assert_string_equal (xml_string (xml_root (doc), "state"), "shutoff");
    assert_string_equal (xml_string (xml_root (doc), "description"), "d");
    assert_int_equal (snapshot_memory (xml_root (doc)), SNAPSHOT_NO);
    assert_false (snapshot_was_active (xml_root (doc)));
}

static void test_disk_only (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) doc = make ("<name>one</name><disks><disk name='/dev/x' snapshot='no'/></disks>",
                            true, true, &err);
    assert_string_equal (xml_string (xml_root (doc), "state"), "disk-snapshot");
    assert_string_equal (place_of (doc, "vda"), "external");
    assert_string_equal (file_of (doc, "vda"), "/i/web.one");
    assert_string_equal (place_of (doc, "vdb"), "no");
    assert_true (snapshot_is_external (xml_root (doc)));
}

static void test_memory_in_a_file (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) doc = make ("<name>one</name><memory snapshot='external' file='/m'/><disks>"
                            "<disk name='vda'><source file='/o/a'/></disk>"
                            "<disk name='vdb' type='block'><source dev='/dev/y'/></disk></disks>",
                            true, false, &err);
    assert_non_null (doc);
    assert_string_equal (xml_string (xml_root (doc), "memory/@file"), "/m");
    assert_string_equal (file_of (doc, "vda"), "/o/a");
    assert_string_equal (file_of (doc, "vdb"), "/dev/y");
    assert_string_equal (xml_string (xml_root (doc), "state"), "paused");
}

static void test_refused (void **state)
{
    (void) state;
    static const struct {
        const char *inside;
        bool active, disk_only;
        const char *words;
    } cases[] = {
        { "<name>a/b</name>", true, false, "'/'" },
        { "<name>.a</name>", true, false, "begins with" },
        { "<name/>", true, false, "1 to" },
        { "<wish/>", true, false, "<wish>" },
        { "<name>a</name><name>b</name>", true, false, "twice" },
        { "<memory snapshot='no'/>", true, false, "disk_only" },
        { "<memory snapshot='internal'/>", true, true, "no memory" },
        { "<memory snapshot='internal'/>", false, false, "no memory" },
        { "<memory snapshot='external'/>", true, false, "has a file" },
        { "<memory snapshot='manual'/>", true, false, "snapshot='manual'" },
        { "<disks><disk name='vdx'/></disks>", true, false, "no disk 'vdx'" },
        { "<disks><disk name='vda'/><disk name='/i/web.qcow2'/></disks>", true, false, "twice" },
        { "<disks><disk name='vda' snapshot='external'/></disks>", true, false, "disk 'vda'" },
        { "<disks><disk name='vda' snapshot='internal'/></disks>", true, true, "disk 'vda'" },
        { NULL, true, true, "has to be named" },
        { "<disks><disk name='vdb' snapshot='no'/><disk name='vda'><driver type='raw'/></disk>"
          "</disks>",
          true, true, "format 'raw'" },
        { "<disks><disk name='vdb' snapshot='no'/><disk name='vda'><source file='rel'/></disk>"
          "</disks>",
          true, true, "not absolute" },
        { "<disks><disk name='vda'><source file='/o'/></disk><disk name='vdb'>"
          "<source file='/o'/></disk></disks>",
          true, true, "same file" },
        { "<disks><disk name='vda' snapshot='no'/><disk name='vdb' snapshot='no'/></disks>", true,
          false, "no disk that" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(xml_t) doc = make (cases[i].inside, cases[i].active, cases[i].disk_only, &err);
        if (doc || !strstr (err.message, cases[i].words))
            fail_msg ("case %zu: '%s' instead of '%s'", i, err.message, cases[i].words);
    }
}

static void test_redefine (void **state)
{
    (void) state;
    error_t err;
    auto(xml_t) old = make ("<name>one</name>", true, false, &err);
    auto(xml_t) given = xml_copy (old);
    xml_set (xml_root (given), "description", "other");
    auto(xml_t) made = snapshot_xml_redefine (given, xml_root (old), UUID, &err);
    assert_string_equal (xml_string (xml_root (made), "description"), "other");
    xml_set (xml_root (given), "state", "shutoff");
    assert_null (snapshot_xml_redefine (given, xml_root (old), UUID, &err));
    auto(xml_t) fresh = snapshot_xml_redefine (given, NULL, UUID, &err);
    assert_non_null (fresh);
    assert_null (snapshot_xml_redefine (given, NULL, "22222222-2222-3333-4444-555555555555", &err));
    xml_remove_path (xml_root (given), "creationTime");
    assert_null (snapshot_xml_redefine (given, NULL, UUID, &err));
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_defaults),  cmocka_unit_test (test_shut_off),
        cmocka_unit_test (test_disk_only), cmocka_unit_test (test_memory_in_a_file),
        cmocka_unit_test (test_refused),   cmocka_unit_test (test_redefine),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
