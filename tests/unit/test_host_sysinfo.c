//  test_host_sysinfo.c: what the firmware of machines says that are not this one.

#include "actors/host/host_sysinfo.h"

#include "tree.h"

#define ID "/sys/class/dmi/id/"
#define TABLES "/sys/firmware/dmi/tables/DMI"

//  The structures of a machine with one processor, an empty socket for memory, a module, and words
//  of its maker.
static const char tables[] =
    //  a processor: 48 bytes, then its strings
    "\x04\x30\x00\x00"
    "\x01\x03\xb3\x02"
    "\0\0\0\0\0\0\0\0"
    "\x03\x8b\x64\x00"
    "\xa0\x0f\xb8\x0b"
    "\x41\x00\0\0\0\0\0\0"
    "\x00\x00\x00\0\0\0\0\0"
    "\0\0\0\0\0\0\0\0"
    "CPU 0\0Maker  \0Fast CPU\0\0"
    //  an empty socket: 34 bytes
    "\x11\x22\x01\x00"
    "\0\0\0\0\0\0\0\0"
    "\x00\x00\x09\x00"
    "\x00\x00\x02\0\0\0\0\0\0\0"
    "\0\0\0\0\0\0\0\0"
    "\0\0"
    //  a module of 16384 MB: 34 bytes
    "\x11\x22\x02\x00"
    "\0\0\0\0\0\0\0\0"
    "\x00\x40\x09\x00"
    "\x01\x02\x1a\x00\x00\x60\x09\x03\x00\x00"
    "\x00\0\0\0\0\0\0\0"
    "DIMM A1\0BANK 0\0Ram Maker\0\0"
    //  the maker's own words
    "\x0b\x05\x03\x00\x02"
    "first\0second & last\0\0"
    //  the end
    "\x7f\x04\x04\x00\0";

static xml_t *read_sysinfo (const char *root)
{
    error_t err = { 0 };
    xml_t *doc = host_sysinfo (root, &err);
    assert_non_null (doc);
    return doc;
}

static const char *entry (const xml_t *doc, const char *element, const char *name)
{
    xml_foreach (node, xml_find (xml_root (doc), element), "entry")
        if (xml_equals (node, "@name", name))
            return xml_string (node, ".");
    return "none";
}

static void a_machine_that_says_nothing (void **state)
{
    error_t err;
    assert_null (host_sysinfo (*state, &err));
    assert_int_equal (err.code, ERR_NO_SUPPORT);
    assert_non_null (strstr (err.message, "no SMBIOS"));
}

static void identity_is_what_sysfs_has (void **state)
{
    tree_put (*state, ID "bios_vendor", "A Vendor \n");
    tree_put (*state, ID "product_name", "Box <1>\n");
    tree_put (*state, ID "product_version", "\n");
    auto(xml_t) doc = read_sysinfo (*state);
    assert_true (xml_equals (xml_root (doc), "@type", "smbios"));
    assert_string_equal (entry (doc, "bios", "vendor"), "A Vendor");
    assert_string_equal (entry (doc, "system", "product"), "Box <1>");
    assert_string_equal (entry (doc, "system", "version"), "none");
    assert_null (xml_find (xml_root (doc), "chassis"));
    assert_null (xml_find (xml_root (doc), "processor"));
}

static void tables_tell_of_parts (void **state)
{
    tree_put_bytes (*state, TABLES, tables, sizeof tables - 1);
    auto(xml_t) doc = read_sysinfo (*state);
    assert_string_equal (entry (doc, "processor", "socket_destination"), "CPU 0");
    assert_string_equal (entry (doc, "processor", "type"), "Central Processor");
    assert_string_equal (entry (doc, "processor", "manufacturer"), "Maker");
    assert_string_equal (entry (doc, "processor", "version"), "Fast CPU");
    assert_string_equal (entry (doc, "processor", "external_clock"), "100 MHz");
    assert_string_equal (entry (doc, "processor", "max_speed"), "4000 MHz");
    assert_string_equal (entry (doc, "processor", "status"), "Populated, Enabled");
    assert_string_equal (entry (doc, "memory_device", "size"), "16384 MB");
    assert_string_equal (entry (doc, "memory_device", "form_factor"), "DIMM");
    assert_string_equal (entry (doc, "memory_device", "type"), "DDR4");
    assert_string_equal (entry (doc, "memory_device", "speed"), "2400 MT/s");
    assert_string_equal (entry (doc, "memory_device", "locator"), "DIMM A1");
    assert_string_equal (entry (doc, "memory_device", "bank_locator"), "BANK 0");
    assert_string_equal (entry (doc, "memory_device", "manufacturer"), "Ram Maker");
    assert_string_equal (entry (doc, "memory_device", "serial_number"), "none");
    xml_node_t *words = xml_first (xml_find (xml_root (doc), "oemStrings"), "entry");
    assert_string_equal (xml_string (words, "."), "first");
    assert_string_equal (xml_string (xml_next (words, "entry"), "."), "second & last");
}

//  Firmware is not to be trusted: whatever is missing, nothing behind the end is read (which the
//  address sanitizer sees).
static void tables_may_be_cut_off (void **state)
{
    for (size_t size = 0; size < sizeof tables; size++) {
        tree_put_bytes (*state, TABLES, tables, size);
        auto(xml_t) doc = read_sysinfo (*state);
        assert_true (xml_is (xml_root (doc), "sysinfo"));
    }
    tree_put_bytes (*state, TABLES, "\x04\x02\x00\x00\x04\x30\x00\x00", 8);
    auto(xml_t) doc = read_sysinfo (*state);
    assert_null (xml_find (xml_root (doc), "processor"));
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        unit_test_in_folder (a_machine_that_says_nothing),
        unit_test_in_folder (identity_is_what_sysfs_has),
        unit_test_in_folder (tables_tell_of_parts),
        unit_test_in_folder (tables_may_be_cut_off),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
