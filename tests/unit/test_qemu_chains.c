//  test_qemu_chains.c: what deleting an external snapshot comes to.

#include "drivers/qemu/storage/qemu_chains.h"
#include "util/text.h"
#include "unit_xml.h"

#include <string.h>

//  <use> of the snapshot NAME ("": the domain, live), with these images.
static void add_use (text_t *text, const char *name, const char *place, const char *images)
{
    auto(strings_t) list = strings_new ();
    autofree char *copy = text_copy (images);
    char *rest = copy, *path;
    while ((path = strsep (&rest, " ")))
        strings_add (list, path);
    text_addf (text, "<use disk='vda' source='%s'", list->items[0]);
    if (*name)
        text_addf (text, " snapshot='%s' place='%s'>", name, place);
    else
        text_addf (text, " live='yes'>");
    for (size_t i = 0; i < list->count; i++)
        text_addf (text, "<image path='%s' format='%s' named='%s'/>", list->items[i],
                   i + 1 < list->count ? "qcow2" : "raw",
                   i + 1 < list->count ? list->items[i + 1] : "");
    text_add (text, "</use>");
}

//  Three in a row: the domain is in /3.
static xml_t *row (void)
{
    auto(text_t) text = text_new ();
    text_add (text, "<chains>");
    add_use (text, "", "", "/3 /2 /1 /0");
    add_use (text, "one", "external", "/0");
    add_use (text, "two", "external", "/1 /0");
    add_use (text, "three", "external", "/2 /1 /0");
    text_add (text, "</chains>");
    return unit_xml (text->data);
}

static xml_t *snapshot (const char *name)
{
    autofree char *text =
        text_format ("<domainsnapshot><name>%s</name><disks><disk name='vda' snapshot='external'/>"
                     "<disk name='vdb' snapshot='no'/></disks></domainsnapshot>",
                     name);
    return unit_xml (text);
}

//  The plan on one line, or the error.
static char *plan_for (xml_t *chains, const char *name)
{
    error_t err = { 0 };
    auto(xml_t) plan = unit_xml ("<plan/>");
    auto(xml_t) one = snapshot (name);
    if (qemu_chains_plan (chains, xml_root (one), xml_root (plan), &err))
        return text_copy (err.message);
    auto(text_t) line = text_new ();
    xml_foreach (merge, xml_root (plan), "merge") {
        text_addf (line, "%s>%s(%s)%s", xml_string (merge, "@top"), xml_string (merge, "@name"),
                   xml_string (merge, "@format"), xml_equals (merge, "@live", "yes") ? "*" : "");
        xml_foreach (above, merge, "above")
            text_addf (line, " %s=%s%s", xml_string (above, "@path"), xml_string (above, "@named"),
                       xml_equals (above, "@live", "yes") ? "*" : "");
    }
    xml_foreach (drop, xml_root (plan), "drop")
        text_addf (line, " -%s", xml_string (drop, "@path"));
    return text_finish (&line);
}

static void check (xml_t *chains, const char *name, const char *expected)
{
    autofree char *found = plan_for (chains, name);
    assert_string_equal (found, expected);
}

static void test_leaf (void **state)
{
    (void) state;
    auto(xml_t) chains = row ();
    check (chains, "three", "/3>/2(qcow2)* -/3");
}

static void test_middle (void **state)
{
    (void) state;
    auto(xml_t) chains = row ();
    check (chains, "two", "/2>/1(qcow2)* /3=/1* -/2");
}

//  One after the other, as if each were done.
static void test_all (void **state)
{
    (void) state;
    auto(xml_t) chains = row ();
    check (chains, "one", "/1>/0(raw)* /2=/0* -/1");
    check (chains, "two", "/2>/0(raw)* /3=/0* -/2");
    check (chains, "three", "/3>/0(raw)* -/3");
}

//  The domain went back to "one": two branches stand on /0, until one of them goes. What was made
//  for a snapshot and is in nobody's chain goes with it.
static void test_branches (void **state)
{
    (void) state;
    auto(text_t) text = text_new ();
    text_add (text, "<chains>");
    add_use (text, "", "", "/b /0");
    add_use (text, "one", "external", "/0");
    add_use (text, "two", "external", "/1 /0");
    text_add (text, "<overlay disk='vda' snapshot='one' path='/1' base='/0'/>"
                    "<overlay disk='vda' snapshot='two' path='/2' base='/1'/></chains>");
    auto(xml_t) chains = unit_xml (text->data);
    check (chains, "one",
           "disk 'vda': not supported: its image '/0' can't take over two branches: what the "
           "domain uses now and snapshot 'two' both stand on it; delete snapshot 'two' before");
    check (chains, "two", " -/2");
    check (chains, "one", "/b>/0(raw)* -/1 -/b");
}

//  Several images on the one that goes name its base then.
static void test_fork_above (void **state)
{
    (void) state;
    auto(text_t) text = text_new ();
    text_add (text, "<chains>");
    add_use (text, "", "", "/3 /1 /0");
    add_use (text, "one", "external", "/0");
    add_use (text, "two", "external", "/1 /0");
    add_use (text, "four", "external", "/2 /1 /0");
    text_add (text, "</chains>");
    auto(xml_t) chains = unit_xml (text->data);
    check (chains, "one", "/1>/0(raw)* /3=/0* /2=/0 -/1");
}

static void test_refused (void **state)
{
    (void) state;
    static const struct {
        const char *domain, *place, *images, *expected;
    } cases[] = {
        { "/1 /0", "internal", "/1 /0",
          "disk 'vda': not supported: snapshot 'in' is inside of the image to be merged, '/1'" },
        { "/1 /0", "external", "/0",
          "disk 'vda': not supported: snapshot 'in' depends on its image '/0'" },
        { "/0", "external", "/1 /0",
          "disk 'vda': not supported: what the domain uses now depends on its image '/0'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(text_t) text = text_new ();
        text_add (text, "<chains>");
        add_use (text, "", "", cases[i].domain);
        add_use (text, "one", "external", "/0");
        add_use (text, "in", cases[i].place, cases[i].images);
        text_add (text, "</chains>");
        auto(xml_t) chains = unit_xml (text->data);
        check (chains, "one", cases[i].expected);
    }
}

//  Other disks of the domain stand on the images, too: the base's content would change under them,
//  and the top would go.
static void test_other_disks (void **state)
{
    (void) state;
    static const struct {
        const char *use, *expected;
    } cases[] = {
        { "", "/1>/0(raw)* -/1" },
        { "<use disk='vdb' live='yes' source='/b'><image path='/b'/><image path='/0'/></use>",
          "disk 'vda': not supported: what the domain uses now depends on its image '/0' too, as "
          "disk 'vdb'" },
        { "<use disk='vdb' source='/1'><image path='/1'/><image path='/0'/></use>",
          "disk 'vda': not supported: what the domain uses now depends on its image '/1' too, as "
          "disk 'vdb'" },
        { "<use disk='vdb' snapshot='in' place='external' source='/0'><image path='/0'/></use>",
          "disk 'vda': not supported: snapshot 'in' depends on its image '/0' too, as disk 'vdb'" },
        { "<use disk='vdb' snapshot='in' place='internal' source='/0'><image path='/0'/></use>",
          "/1>/0(raw)* -/1" },
        { "<use disk='vdb' snapshot='in' place='no' source='/0'><image path='/0'/></use>",
          "/1>/0(raw)* -/1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto(text_t) text = text_new ();
        text_add (text, "<chains>");
        add_use (text, "", "", "/1 /0");
        add_use (text, "one", "external", "/0");
        text_addf (text, "%s</chains>", cases[i].use);
        auto(xml_t) chains = unit_xml (text->data);
        check (chains, "one", cases[i].expected);
    }
}

//  An internal snapshot in the base stays in it; and an image that is gone needs no merge.
static void test_harmless (void **state)
{
    (void) state;
    auto(text_t) text = text_new ();
    text_add (text, "<chains>");
    add_use (text, "", "", "/1 /0");
    add_use (text, "in", "internal", "/0");
    add_use (text, "one", "external", "/0");
    text_add (text, "<use disk='vda' snapshot='gone' place='external' source='/gone'/></chains>");
    auto(xml_t) chains = unit_xml (text->data);
    check (chains, "gone", "");
    check (chains, "one", "/1>/0(raw)* -/1");
}

static void test_relative (void **state)
{
    (void) state;
    auto(xml_t) chains = unit_xml (
        "<chains><use disk='vda' source='/d/2'><image path='/d/2' format='qcow2' named='1'/>"
        "<image path='/d/1' format='qcow2' named='../e/0'/><image path='/e/0' "
        "format='qcow2'/></use>"
        "<use disk='vda' snapshot='one' place='external' source='/e/0'>"
        "<image path='/e/0' format='qcow2'/></use></chains>");
    check (chains, "one", "/d/1>/e/0(qcow2) /d/2=../e/0 -/d/1");
}

//  Documents.

static void check_rewritten (const char *disk, const char *expected)
{
    auto(xml_t) doc = unit_xml (disk);
    qemu_chains_rewrite (xml_root (doc), "/none/1", "/none/0", "raw");
    autofree char *found = xml_text (doc);
    auto(xml_t) wanted = unit_xml (expected);
    autofree char *text = xml_text (wanted);
    assert_string_equal (found, text);
}

static void test_rewrite (void **state)
{
    (void) state;
    check_rewritten ("<disk type='file'><driver type='qcow2'/><source file='/none/1'/></disk>",
                     "<disk type='file'><driver type='raw'/><source file='/none/0'/></disk>");
    check_rewritten ("<disk type='file'><driver type='qcow2'/><source file='/none/1'/>"
                     "<backingStore type='file'><format type='qcow2'/><source file='/none/0'/>"
                     "<backingStore/></backingStore></disk>",
                     "<disk type='file'><driver type='qcow2'/><source file='/none/0'/>"
                     "<backingStore/></disk>");
    check_rewritten ("<disk type='file'><driver type='qcow2'/><source file='/none/2'/>"
                     "<backingStore type='file'><format type='qcow2'/><source file='/none/1'/>"
                     "</backingStore></disk>",
                     "<disk type='file'><driver type='qcow2'/><source file='/none/2'/>"
                     "<backingStore type='file'><format type='raw'/><source file='/none/0'/>"
                     "</backingStore></disk>");
    check_rewritten ("<disk type='file'><source file='/none/5'/></disk>",
                     "<disk type='file'><source file='/none/5'/></disk>");
}

int main (void)
{
    xml_init ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_leaf),     cmocka_unit_test (test_middle),
        cmocka_unit_test (test_all),      cmocka_unit_test (test_branches),
        cmocka_unit_test (test_refused),  cmocka_unit_test (test_fork_above),
        cmocka_unit_test (test_harmless), cmocka_unit_test (test_relative),
        cmocka_unit_test (test_rewrite),  cmocka_unit_test (test_other_disks),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
