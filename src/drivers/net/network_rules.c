//  network_rules.c: see network_rules.h.

#include "drivers/net/network_rules.h"

#include "drivers/net/network_path.h"
#include "drivers/net/network_xml.h"
#include "drivers/run_program.h"
#include "util/text.h"

#include <string.h>

#define RULES_MS 60000

//  Chains are known by their uuid; a hyphen is no character of a name in nftables.
static void chain_suffix (const char *uuid, char suffix[UUID_TEXT_SIZE])
{
    snprintf (suffix, UUID_TEXT_SIZE, "%s", uuid);
    for (char *c = suffix; *c; c++)
        if (*c == '-')
            *c = '_';
}

//  What an <ip> or <route> reaches: "ip", "192.168.122.0/24".
static const char *family_word (const xml_node_t *ip, char subnet[ADDRESS_TEXT_SIZE + 4])
{
    subnet_t read;
    error_t ignored; //  it was checked
    if (subnet_read (ip, "", &read, &ignored))
        return NULL;
    subnet_text (&read, subnet);
    return read.address.family == AF_INET6 ? "ip6" : "ip";
}

//  Forwarding.

static void add_inside (text_t *text, const xml_node_t *node, forward_t mode, const char *out,
                        bool nat)
{
    char subnet[ADDRESS_TEXT_SIZE + 4];
    const char *family = family_word (node, subnet);
    if (!family)
        return;
    text_addf (text, "    oifname $inner %s%s daddr %s %saccept\n", out ? "iifname $outer " : "",
               family, subnet, mode == FORWARD_NAT && nat ? "ct state established,related " : "");
    text_addf (text, "    iifname $inner %s%s saddr %s accept\n", out ? "oifname $outer " : "",
               family, subnet);
}

static bool has_nat (const xml_node_t *network, const xml_node_t *ip)
{
    return !xml_equals (ip, "@family", "ipv6") || xml_equals (network, "forward/nat/@ipv6", "yes");
}

static void add_forward (text_t *text, const xml_node_t *network, const char *out)
{
    forward_t mode = network_forward (network);
    text_add (text, "    type filter hook forward priority filter; policy accept;\n"
                    "    iifname $inner oifname $inner accept\n");
    if (mode == FORWARD_NAT || mode == FORWARD_ROUTE) {
        xml_foreach (ip, network, "ip")
            add_inside (text, ip, mode, out, has_nat (network, ip));
        xml_foreach (route, network, "route")
            add_inside (text, route, mode, out, has_nat (network, route));
    }
    text_add (text, "    oifname $inner reject\n    iifname $inner reject\n");
}

//  NAT.

//  "masquerade", "snat to 1.2.3.4-1.2.3.9"; with PORTS the range of them.
static void add_translation (text_t *text, const xml_node_t *network, bool six, bool ports)
{
    const xml_node_t *nat = xml_find (network, "forward/nat");
    const char *start = nat ? xml_string (nat, "address/@start") : NULL;
    const char *end = nat ? xml_string (nat, "address/@end") : NULL;
    const char *low = nat ? xml_string (nat, "port/@start") : NULL;
    const char *high = nat ? xml_string (nat, "port/@end") : NULL;
    if (start && !six)
        text_addf (text, "snat ip to %s%s%s", start, strcmp (start, end) == 0 ? "" : "-",
                   strcmp (start, end) == 0 ? "" : end);
    else
        text_add (text, "masquerade");
    if (ports)
        text_addf (text, "%s:%s-%s", start && !six ? "" : " to ", low ? low : "1024",
                   high ? high : "65535");
    text_add (text, "\n");
}

static void add_nat_of (text_t *text, const xml_node_t *network, const xml_node_t *node,
                        const char *out)
{
    char subnet[ADDRESS_TEXT_SIZE + 4];
    static const char *const protocols[] = { "meta l4proto tcp ", "meta l4proto udp ", "" };
    const char *family = family_word (node, subnet);
    bool six = family && strcmp (family, "ip6") == 0;
    if (!family || !has_nat (network, node))
        return;
    //  What stays on the link is not to be changed.
    if (six)
        text_addf (text, "    ip6 saddr %s ip6 daddr ff02::/16 return\n", subnet);
    else
        text_addf (text, "    ip saddr %s ip daddr { 224.0.0.0/24, 255.255.255.255 } return\n",
                   subnet);
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        text_addf (text, "    %s%s%s saddr %s %s daddr != %s ", protocols[i],
                   out ? "oifname $outer " : "", family, subnet, family, subnet);
        add_translation (text, network, six, *protocols[i]);
    }
}

static void add_nat (text_t *text, const xml_node_t *network, const char *out)
{
    text_add (text, "    type nat hook postrouting priority srcnat; policy accept;\n");
    xml_foreach (ip, network, "ip")
        add_nat_of (text, network, ip, out);
    xml_foreach (route, network, "route")
        add_nat_of (text, network, route, out);
}

//  First an empty chain is made, so that there is one to be deleted.
static void drop_chains (text_t *text, const char *table, const char *suffix)
{
    static const char *const kinds[] = { "forward", "nat" };
    text_addf (text, "add table inet %s\n", table);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        text_addf (text, "add chain inet %s %s_%s\ndelete chain inet %s %s_%s\n", table, kinds[i],
                   suffix, table, kinds[i], suffix);
}

char *network_rules_text (const xml_node_t *network, const char *uuid, const char *bridge,
                          const char *table)
{
    forward_t mode = network_forward (network);
    const char *out = xml_string (network, "forward/@dev");
    if (!out)
        out = xml_string (network, "forward/interface/@dev");
    if (mode == FORWARD_OPEN || !network_is_virtual (network))
        return NULL;
    char suffix[UUID_TEXT_SIZE];
    chain_suffix (uuid, suffix);
    auto(text_t) text = text_new ();
    text_addf (text, "define inner = \"%s\"\n", bridge);
    if (out)
        text_addf (text, "define outer = \"%s\"\n", out);
    drop_chains (text, table, suffix);
    text_addf (text, "table inet %s {\n  chain forward_%s {\n", table, suffix);
    add_forward (text, network, out);
    text_add (text, "  }\n");
    if (mode == FORWARD_NAT) {
        text_addf (text, "  chain nat_%s {\n", suffix);
        add_nat (text, network, out);
        text_add (text, "  }\n");
    }
    text_add (text, "}\n");
    return text_finish (&text);
}

//  Carrying it out.

//  libnftables runs in a program of its own: it may wait for the kernel, and for others' changes.
static int run_nft (job_t *job, const char *const *args, char **output, error_t *err)
{
    static const char *const env[] = { "LC_ALL=C", NULL };
    autofree char *program = text_format ("%s/troupe-nft", job->helpers);
    autofree char *log = network_path (job->paths, job->guest->uuid, NETWORK_OUTPUT);
    auto(strings_t) argv = strings_new ();
    strings_add (argv, program);
    strings_add_all (argv, args);
    spawn_t spawn = { .argv = strings_list (argv), .env = env, .log = log, .tied = true };
    return run_program (job, &spawn, "nftables", RULES_MS, output, err);
}

static char *table_name (const job_t *job)
{
    return job->paths->mode == PATHS_SYSTEM ? text_copy ("troupe")
                                            : text_format ("troupe_%s", job->instance);
}

static int run_transaction (job_t *job, const char *command, const char *text, char **listing,
                            error_t *err)
{
    char suffix[UUID_TEXT_SIZE];
    autofree char *path = network_path (job->paths, job->guest->uuid, NETWORK_RULES);
    autofree char *table = table_name (job);
    chain_suffix (job->guest->uuid, suffix);
    const char *const args[] = { command, table, suffix, path, NULL };
    if (text && job_write_file (job, path, text, err))
        return -1;
    return run_nft (job, args, listing, err);
}

//  FNV-1a: what the kernel shows of our rules, in 16 digits.
static void fingerprint (const char *text, char digits[17])
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char) *text) * 1099511628211u;
    snprintf (digits, 17, "%016llx", (unsigned long long) hash);
}

int network_rules_apply (job_t *job, const char *bridge, error_t *err)
{
    guest_t *guest = job->guest;
    char digits[17];
    autofree char *listing = NULL;
    autofree char *table = table_name (job);
    autofree char *text = network_rules_text (xml_root (guest->live), guest->uuid, bridge, table);
    if (!text)
        return 0;
    if (job_undo (job, "rules", guest->uuid, err) || job_record (job, err) ||
        run_transaction (job, "apply", text, &listing, err))
        return error_prefix (err, "network '%s'", guest->name);
    fingerprint (listing, digits);
    xml_set (xml_root (guest->record), "rules/@fingerprint", digits);
    return 0;
}

int network_rules_remove (job_t *job, const char *uuid, error_t *err)
{
    char suffix[UUID_TEXT_SIZE];
    autofree char *table = table_name (job);
    autofree char *path = network_path (job->paths, uuid, NETWORK_RULES);
    auto(text_t) text = text_new ();
    if (access (path, F_OK))
        return 0; //  there never were any
    chain_suffix (uuid, suffix);
    drop_chains (text, table, suffix);
    return run_transaction (job, "remove", text->data, NULL, err) ||
                   job_remove_file (job, path, err)
               ? -1
               : 0;
}

int network_rules_look (job_t *job, bool *same, error_t *err)
{
    char digits[17];
    autofree char *listing = NULL;
    const xml_node_t *record = xml_root (job->guest->record);
    *same = true;
    if (!xml_find (record, "rules"))
        return 0;
    if (run_transaction (job, "list", NULL, &listing, err))
        return -1;
    fingerprint (listing, digits);
    *same = xml_equals (record, "rules/@fingerprint", digits);
    return 0;
}
