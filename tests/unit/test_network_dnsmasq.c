//  test_network_dnsmasq.c: what a network's dnsmasq is told.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drivers/net/network_dnsmasq.h"
#include "drivers/net/network_xml.h"
#include "util/text.h"

#include <string.h>

static char *config (const char *inner)
{
    error_t err = { 0 };
    autofree char *text = text_format (
        "<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>%s</network>",
        inner);
    auto(xml_t) doc = xml_parse (text, strlen (text), "network", &err);
    if (!doc || network_check (xml_root (doc), &err))
        fail_msg ("%s", err.message);
    return network_dnsmasq_config (xml_root (doc), "virbr7", "/lib/helper", "/run/pid");
}

//  Documents, and the lines that they have to lead to.
static const struct {
    const char *xml, *lines[8];
} cases[] = {
    { "<ip address='10.1.2.1' prefix='24'/>",
      { "interface=virbr7\n", "pid-file=/run/pid\n", "local=//\n", "no-resolv\n" } },
    { "<dns enable='no'/><ip address='10.1.2.1' prefix='24'/>", { "port=0\n" } },
    { "<domain name='a.b' localOnly='yes'/><dns forwardPlainNames='no'><forwarder addr='10.0.0.9'/>"
      "<forwarder domain='c.d' addr='10.0.0.8'/><txt name='t' value='x, y'/><srv service='s' "
      "protocol='tcp' domain='a.b' target='h.a.b' port='7' priority='2' weight='3'/><host "
      "ip='10.1.2.5'><hostname>h</hostname><hostname>i.k</hostname></host></dns>"
      "<ip address='10.1.2.1' prefix='24' localPtr='yes'/>",
      { "local=/a.b/\ndomain=a.b\n", "server=10.0.0.9\n", "server=/c.d/10.0.0.8\n",
        "txt-record=t,\"x, y\"\n", "srv-host=_s._tcp.a.b,h.a.b,7,2,3\n",
        "host-record=h,h.a.b,i.k,10.1.2.5\n", "rev-server=10.1.2.0/24\n", "domain-needed\n" } },
    { "<ip address='10.1.2.1' prefix='24'><tftp root='/boot'/><dhcp><range start='10.1.2.9' "
      "end='10.1.2.20'><lease expiry='2' unit='hours'/></range><host mac='52:54:00:00:00:01' "
      "name='n' ip='10.1.2.8'><lease expiry='0'/></host><bootp file='p.0' server='10.0.0.1'/>"
      "</dhcp></ip>",
      { "dhcp-range=10.1.2.9,10.1.2.20,255.255.255.0,7200\n",
        "dhcp-host=52:54:00:00:00:01,n,10.1.2.8,infinite\n", "enable-tftp\ntftp-root=\"/boot\"\n",
        "dhcp-boot=\"p.0\",,10.0.0.1\n", "dhcp-script=/lib/helper\n", "leasefile-ro\n",
        "dhcp-option=3\n" } },
    { "<ip address='10.1.2.1' prefix='24'><dhcp><host mac='52:54:00:00:00:01' "
      "ip='10.1.2.8'/></dhcp>"
      "</ip>",
      { "dhcp-range=10.1.2.0,static,255.255.255.0\n" } },
    { "<ip family='ipv6' address='fd00::1' prefix='64'><dhcp><range start='fd00::9' "
      "end='fd00::ff'/><host id='0:3:0:1' name='n' ip='fd00::8'/></dhcp></ip>",
      { "dhcp-range=fd00::9,fd00::ff,64\n", "dhcp-host=id:0:3:0:1,n,[fd00::8]\n", "enable-ra\n" } },
    { "<dns><txt name='t' value='a\\'/></dns><ip address='10.1.2.1' prefix='24'><tftp root='/a "
      "#b'/>"
      "<dhcp><bootp file='p, #0' server='h.b'/></dhcp></ip>",
      { "txt-record=t,\"a\\\\\"\n", "tftp-root=\"/a #b\"\n", "dhcp-boot=\"p, #0\",h.b\n" } },
    { "<ip family='ipv6' address='fd00::1' prefix='64'/>",
      { "enable-ra\ndhcp-range=fd00::,ra-only\n" } },
    { "<ip address='10.1.2.1' prefix='24'/><dnsmasq:options><dnsmasq:option "
      "value='cname=a,b'/></dnsmasq:options>",
      { "\ncname=a,b\n" } },
};

static void test_lines (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        autofree char *text = config (cases[i].xml);
        for (size_t k = 0; k < 8 && cases[i].lines[k]; k++)
            if (!strstr (text, cases[i].lines[k]))
                fail_msg ("'%s' is not in:\n%s", cases[i].lines[k], text);
    }
}

static void test_without_dhcp (void **state)
{
    (void) state;
    autofree char *text = config ("<forward/><ip address='10.1.2.1' prefix='24'/>");
    assert_null (strstr (text, "dhcp"));
    assert_null (strstr (text, "no-resolv"));
}

//  dnsmasq takes the rest of a line that is too long for another line.
static void test_many_names (void **state)
{
    (void) state;
    auto(text_t) inner = text_new ();
    text_add (inner, "<domain name='a.b'/><dns><host ip='10.1.2.5'>");
    for (int i = 0; i < 300; i++)
        text_addf (inner, "<hostname>name%d</hostname>", i);
    text_add (inner, "</host></dns><ip address='10.1.2.1' prefix='24'/>");
    autofree char *text = config (inner->data);
    size_t records = 0;
    for (const char *line = text; *line; line += strcspn (line, "\n") + 1) {
        assert_in_range (strcspn (line, "\n"), 1, 1023);
        records += text_starts (line, "host-record=name");
    }
    assert_in_range (records, 2, 300);
    for (int i = 0; i < 300; i++) {
        autofree char *name = text_format ("name%d,name%d.a.b,", i, i);
        assert_non_null (strstr (text, name));
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_lines),
        cmocka_unit_test (test_many_names),
        cmocka_unit_test (test_without_dhcp),
    };
    xml_init ();
    return cmocka_run_group_tests (tests, NULL, NULL);
}
