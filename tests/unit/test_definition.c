//  test_definition.c: where what is new stands in a document.

#include "drivers/definition.h"

#include "unit_xml.h"

#include <string.h>

//  The names of the device elements, with their ids.
static char *order_of (const xml_t *doc)
{
    auto(text_t) order = text_new ();
    xml_foreach (device, xml_root (doc), NULL) {
        const char *id = xml_string (device, "@id");
        text_addf (order, "%s%s ", xml_name (device), id ? id : "");
    }
    return text_finish (&order);
}

static void test_order (void **state)
{
    (void) state;
    static const struct {
        const char *devices, *added, *wanted;
    } cases[] = {
        { "<devices/>", "disk", "diskN " },
        { "<devices><interface/></devices>", "disk", "diskN interface " },
        { "<devices><disk id='1'/><interface/></devices>", "disk", "disk1 diskN interface " },
        { "<devices><disk id='1'/><interface/></devices>", "console", "disk1 interface consoleN " },
        //  Not in libvirt's order: behind its like all the same.
        { "<devices><console/><disk id='1'/><interface id='1'/></devices>", "disk",
          "console disk1 diskN interface1 " },
        { "<devices><console/><disk id='1'/><interface id='1'/></devices>", "interface",
          "console disk1 interface1 interfaceN " },
        { "<devices><interface id='1'/><disk id='1'/><rng/><disk id='2'/></devices>", "disk",
          "interface1 disk1 rng disk2 diskN " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(xml_t) doc = unit_xml (cases[i].devices);
        autofree char *text = text_format ("<%s id='N'/>", cases[i].added);
        auto(xml_t) device = unit_xml (text);
        definition_add (xml_root (doc), xml_root (device));
        autofree char *order = order_of (doc);
        assert_string_equal (order, cases[i].wanted);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_order),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
