//  test_network_update.c: changes of one part of a network.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/net/network_update.h"
#include "util/text.h"

#include <string.h>

static const char document[] =
    "<network><name>n</name><forward mode='bridge'><interface dev='a'/></forward></network>";
static const char addressed[] =
    "<network><name>n</name><dns><txt name='t' value='1'/></dns><ip address='10.0.0.1' "
    "prefix='24'><dhcp><range start='10.0.0.9' end='10.0.0.20'/><host mac='52:54:00:00:00:01' "
    "name='one' ip='10.0.0.2'/></dhcp></ip><ip address='10.0.1.1' prefix='24'/>"
    "<portgroup name='p'/></network>";

static const char services[] =
    "<network><name>n</name><dns><srv service='a' protocol='tcp' domain='d'/><srv service='b' "
    "protocol='udp' domain='d'/></dns><ip address='10.0.0.1' prefix='24'/></network>";

//  The change; what is in the document then, or a piece of the error.
static const struct {
    const char *document, *command, *section, *xml;
    int index;
    const char *then, *error;
} cases[] = {
    { addressed, "add-last", "ip-dhcp-host", "<host mac='52:54:00:00:00:02' ip='10.0.0.3'/>", -1,
      "ip='10.0.0.2'/>\n      <host mac='52:54:00:00:00:02' ip='10.0.0.3'/>", NULL },
    { addressed, "add-first", "ip-dhcp-host", "<host mac='52:54:00:00:00:02' ip='10.0.0.3'/>", 0,
      "ip='10.0.0.3'/>\n      <host mac='52:54:00:00:00:01'", NULL },
    { addressed, "modify", "ip-dhcp-host", "<host mac='52:54:00:00:00:01' ip='10.0.0.4'/>", -1,
      "<host mac='52:54:00:00:00:01' ip='10.0.0.4'/>", NULL },
    { addressed, "delete", "ip-dhcp-host", "<host ip='10.0.0.2'/>", -1, "end='10.0.0.20'/>\n    </",
      NULL },
    { addressed, "add", "ip-dhcp-range", "<range start='10.0.0.30' end='10.0.0.40'/>", -1,
      "start='10.0.0.30'", NULL },
    { addressed, "delete", "ip-dhcp-range", "<range start='10.0.0.9' end='10.0.0.20'/>", -1,
      "<dhcp>\n      <host", NULL },
    { addressed, "add", "dns-host", "<host ip='10.0.0.7'><hostname>h</hostname></host>", -1,
      "<hostname>h</hostname>", NULL },
    { addressed, "modify", "dns-txt", "<txt name='t' value='2'/>", -1, "value='2'", NULL },
    { addressed, "add", "dns-srv", "<srv service='s' protocol='tcp'/>", -1, "<srv", NULL },
    { addressed, "add", "portgroup", "<portgroup name='q'/>", -1, "<portgroup name='q'/>", NULL },
    { addressed, "delete", "portgroup", "<portgroup name='p'/>", -1, "prefix='24'/>\n</network>",
      NULL },
    { document, "add", "forward-interface", "<interface dev='b'/>", -1, "dev='b'", NULL },
    { services, "delete", "dns-srv", "<srv service='a'/>", -1,
      "<dns>\n    <srv service='b' protocol='udp' domain='d'/>\n  </dns>", NULL },
    //  Refused.
    { addressed, "add", "ip-dhcp-host", "<host mac='52:54:00:00:00:01' ip='10.0.0.9'/>", -1, NULL,
      "there is such a ip-dhcp-host already" },
    { addressed, "delete", "ip-dhcp-host", "<host ip='10.0.0.99'/>", -1, NULL, "there is no such" },
    { addressed, "delete", "ip-dhcp-host", "<host mac='52:54:00:00:00:77' ip='10.0.0.2'/>", -1,
      NULL, "there is no such" }, //  another one's address
    { services, "delete", "dns-srv", "<srv domain='d'/>", -1, NULL, "there are several such" },
    { addressed, "add", "ip-dhcp-host", "<host mac='52:54:00:00:00:02' ip='10.9.0.9'/>", -1, NULL,
      "not inside of its subnet" },
    { addressed, "add", "ip-dhcp-range", "<range start='10.0.0.20' end='10.0.0.40'/>", -1, NULL,
      "overlaps another one" },
    { addressed, "add", "ip-dhcp-range", "<range start='10.0.1.20' end='10.0.1.40'/>", -1, NULL,
      "two <ip> of IPv4 have <dhcp>" },
    { addressed, "add", "ip-dhcp-host", "<host/>", 7, NULL, "it has no <ip> number 7" },
    { addressed, "add", "dns-txt", "<srv/>", -1, NULL, "takes a <txt>, not a <srv>" },
    { addressed, "add", "forward-interface", "<interface dev='b'/>", -1, NULL, "it is isolated" },
    { addressed, "burn", "dns-txt", "<txt name='a' value='b'/>", -1, NULL, "'burn' is none of" },
    { addressed, "add", "bridge", "<bridge/>", -1, NULL,
      "not supported: an update of the section" },
    { addressed, "add", "roof", "<roof/>", -1, NULL, "the section 'roof' is none of" },
    { document, "modify", "forward-interface", "<interface dev='a'/>", -1, NULL,
      "not supported: 'modify'" },
};

static void test_cases (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error_t err = { 0 };
        auto(xml_t) doc =
            xml_parse (cases[i].document, strlen (cases[i].document), "network", &err);
        const network_update_t update = { cases[i].command, cases[i].section, cases[i].xml,
                                          cases[i].index };
        int rc = network_update (xml_root (doc), &update, &err);
        autofree char *text = xml_text (doc);
        if (cases[i].then && (rc || !strstr (text, cases[i].then)))
            fail_msg ("%s %s: %s\n%s", cases[i].command, cases[i].xml, err.message, text);
        if (cases[i].error && (rc == 0 || !strstr (err.message, cases[i].error)))
            fail_msg ("%s %s: '%s'", cases[i].command, cases[i].xml, err.message);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_cases),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
