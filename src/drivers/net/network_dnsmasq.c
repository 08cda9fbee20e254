//  network_dnsmasq.c: see network_dnsmasq.h.

#include "drivers/net/network_dnsmasq.h"

#include "drivers/net/network_path.h"
#include "drivers/net/network_xml.h"
#include "drivers/run_program.h"
#include "util/file.h"
#include "util/text.h"

#include <signal.h>
#include <string.h>

#define SERVE_MS 30000
#define LOOK_MS 10
#define SAY_MS 3000
#define END_MS 10000
#define TAIL_BYTES 4096
#define CONFIG_MAX_BYTES (16u * 1024 * 1024)
#define LINE_MAX_BYTES 1024 //  with the newline: of what is longer the rest is another line to it

//  In quotes neither comma nor " #" means anything (dnsmasq(8), --conf-file).
static void add_quoted (text_t *text, const char *value)
{
    text_add_char (text, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            text_add_char (text, '\\');
        text_add_char (text, *value);
    }
    text_add_char (text, '"');
}

//  DNS.

static void add_forwarders (text_t *text, const xml_node_t *dns)
{
    bool all = false;
    xml_foreach (forwarder, dns, "forwarder") {
        const char *to = xml_string (forwarder, "@addr"), *of = xml_string (forwarder, "@domain");
        if (of)
            text_addf (text, "server=/%s/%s\n", of, to ? to : "#");
        else
            text_addf (text, "server=%s\n", to);
        all = all || !of;
    }
    //  Those that are given are meant instead of the host's.
    if (all)
        text_add (text, "no-resolv\n");
}

static void add_srv (text_t *text, const xml_node_t *srv)
{
    const char *domain = xml_string (srv, "@domain"), *target = xml_string (srv, "@target");
    text_addf (text, "srv-host=_%s._%s", xml_string (srv, "@service"),
               xml_string (srv, "@protocol"));
    if (domain)
        text_addf (text, ".%s", domain);
    if (target) {
        const char *port = xml_string (srv, "@port");
        const char *priority = xml_string (srv, "@priority"), *weight = xml_string (srv, "@weight");
        text_addf (text, ",%s,%s,%s,%s", target, port ? port : "1", priority ? priority : "0",
                   weight ? weight : "0");
    }
    text_add (text, "\n");
}

//  A plain one is also known with the network's domain.
static void add_host_name (text_t *text, const char *name, const char *domain)
{
    text_addf (text, "%s,", name);
    if (domain && !strchr (name, '.'))
        text_addf (text, "%s.%s,", name, domain);
}

//  As many lines as the names take.
static void add_host_names (text_t *text, const xml_node_t *host, const char *domain)
{
    const char *ip = xml_string (host, "@ip");
    size_t start = text->size;
    text_add (text, "host-record=");
    xml_foreach (name, host, "hostname") {
        if (text->size - start > LINE_MAX_BYTES / 4) {
            text_addf (text, "%s\n", ip);
            start = text->size;
            text_add (text, "host-record=");
        }
        add_host_name (text, xml_string (name, "."), domain);
    }
    text_addf (text, "%s\n", ip);
}

static void add_records (text_t *text, const xml_node_t *dns, const char *domain)
{
    xml_foreach (txt, dns, "txt") {
        text_addf (text, "txt-record=%s,", xml_string (txt, "@name"));
        add_quoted (text, xml_string (txt, "@value"));
        text_add (text, "\n");
    }
    xml_foreach (srv, dns, "srv")
        add_srv (text, srv);
    xml_foreach (host, dns, "host")
        add_host_names (text, host, domain);
}

//  Of IPv4 by whole bytes, as reverse zones are cut.
static void add_local_ptr (text_t *text, const xml_node_t *ip)
{
    subnet_t subnet;
    error_t ignored; //  it was checked
    char words[ADDRESS_TEXT_SIZE + 4];
    if (!xml_flag (ip, "@localPtr", false) || subnet_read (ip, "", &subnet, &ignored))
        return;
    subnet_text (&subnet, words);
    text_addf (text, "rev-server=%s\n", words);
}

static void add_dns (text_t *text, const xml_node_t *network)
{
    const xml_node_t *dns = xml_find (network, "dns"), *domain = xml_find (network, "domain");
    if (!network_has_dns (network)) {
        text_add (text, "port=0\n");
        return;
    }
    text_add (text, "strict-order\n");
    if (domain) {
        const char *name = xml_string (domain, "@name");
        if (xml_flag (domain, "@localOnly", false))
            text_addf (text, "local=/%s/\n", name);
        text_addf (text, "domain=%s\nexpand-hosts\n", name);
    }
    //  What has no dot, and no answer here, is not asked of others.
    if (!dns || !xml_flag (dns, "@forwardPlainNames", true))
        text_add (text, "domain-needed\n");
    if (!domain || xml_flag (domain, "@localOnly", false))
        text_add (text, "local=//\n");
    //  Guests of an isolated network are not to reach others by way of our questions.
    if (network_forward (network) == FORWARD_NONE && !(dns && xml_find (dns, "forwarder")))
        text_add (text, "no-resolv\n");
    xml_foreach (ip, network, "ip")
        add_local_ptr (text, ip);
    if (dns) {
        add_forwarders (text, dns);
        add_records (text, dns, xml_string (network, "domain/@name"));
    }
}

//  DHCP.

//  ",infinite", ",7200"; "" if nothing is said.
static void lease_words (const xml_node_t *owner, char words[24])
{
    const xml_node_t *lease = xml_find (owner, "lease");
    uint64_t expiry = 0;
    error_t ignored; //  it was checked
    *words = 0;
    if (!lease || xml_u64 (lease, "@expiry", &expiry, &ignored))
        return;
    if (expiry == 0)
        snprintf (words, 24, ",infinite");
    else
        snprintf (words, 24, ",%llu",
                  (unsigned long long) (expiry * network_lease_unit (xml_string (lease, "@unit"))));
}

static void add_host (text_t *text, const xml_node_t *host, bool six)
{
    const char *mac = xml_string (host, "@mac"), *id = xml_string (host, "@id");
    const char *name = xml_string (host, "@name");
    char lease[24];
    lease_words (host, lease);
    text_add (text, "dhcp-host=");
    if (mac)
        text_addf (text, "%s,", mac);
    if (id)
        text_addf (text, "id:%s,", id);
    if (name)
        text_addf (text, "%s,", name);
    text_addf (text, six ? "[%s]%s\n" : "%s%s\n", xml_string (host, "@ip"), lease);
}

static void add_boot (text_t *text, const xml_node_t *ip, const xml_node_t *dhcp)
{
    const char *root = xml_string (ip, "tftp/@root");
    const xml_node_t *bootp = dhcp ? xml_find (dhcp, "bootp") : NULL;
    if (root) {
        text_add (text, "enable-tftp\ntftp-root=");
        add_quoted (text, root);
        text_add (text, "\n");
    }
    if (!bootp)
        return;
    const char *server = xml_string (bootp, "@server");
    address_t address;
    text_add (text, "dhcp-boot=");
    add_quoted (text, xml_string (bootp, "@file"));
    //  By address, or by a name that the client is given as it is.
    if (server)
        text_addf (text, address_read (server, &address) ? ",,%s" : ",%s", server);
    text_add (text, "\n");
}

static void netmask_text (unsigned prefix, char text[ADDRESS_TEXT_SIZE])
{
    address_t mask = { .family = AF_INET };
    for (unsigned bit = 0; bit < prefix; bit++)
        mask.bytes[bit / 8] = (uint8_t) (mask.bytes[bit / 8] | (0x80u >> (bit % 8)));
    address_text (&mask, text);
}

//  Hosts without a range are served too: the subnet is "static" then.
static void add_ranges (text_t *text, const xml_node_t *dhcp, const subnet_t *subnet)
{
    bool six = subnet->address.family == AF_INET6;
    char size[ADDRESS_TEXT_SIZE], lease[24], base_words[ADDRESS_TEXT_SIZE];
    address_t base;
    subnet_base (subnet, &base);
    address_text (&base, base_words);
    if (six)
        snprintf (size, sizeof size, "%u", subnet->prefix);
    else
        netmask_text (subnet->prefix, size);
    if (!xml_first (dhcp, "range"))
        text_addf (text, "dhcp-range=%s,static,%s\n", base_words, size);
    xml_foreach (range, dhcp, "range") {
        lease_words (range, lease);
        text_addf (text, "dhcp-range=%s,%s,%s%s\n", xml_string (range, "@start"),
                   xml_string (range, "@end"), size, lease);
    }
    xml_foreach (host, dhcp, "host")
        add_host (text, host, six);
}

static void add_ip (text_t *text, const xml_node_t *ip, bool isolated)
{
    const xml_node_t *dhcp = xml_find (ip, "dhcp");
    subnet_t subnet;
    error_t ignored; //  it was checked
    char base[ADDRESS_TEXT_SIZE];
    address_t first;
    if (subnet_read (ip, "", &subnet, &ignored))
        return;
    bool six = subnet.address.family == AF_INET6;
    subnet_base (&subnet, &first);
    address_text (&first, base);
    add_boot (text, ip, dhcp);
    if (dhcp)
        add_ranges (text, dhcp, &subnet);
    //  There is nothing behind an isolated network's host.
    if (dhcp && isolated && !six)
        text_add (text, "dhcp-option=3\n");
    if (six)
        text_addf (text, "enable-ra\n%s%s%s", dhcp ? "" : "dhcp-range=", dhcp ? "" : base,
                   dhcp ? "" : ",ra-only\n");
}

static void add_options (text_t *text, const xml_node_t *network)
{
    xml_foreach (options, network, NULL)
        if (text_equals (xml_namespace (options), NETWORK_DNSMASQ_URI))
            xml_foreach (option, options, NULL)
                text_addf (text, "%s\n", xml_string (option, "@value"));
}

char *network_dnsmasq_config (const xml_node_t *network, const char *bridge, const char *helper,
                              const char *pid)
{
    auto(text_t) text = text_new ();
    bool dhcp = network_dhcp (network, AF_INET) || network_dhcp (network, AF_INET6);
    text_addf (text,
               "# written by troupe: changes are lost when the network starts\n"
               "keep-in-foreground\nlog-facility=-\npid-file=%s\nbind-dynamic\n"
               "except-interface=lo\ninterface=%s\nno-hosts\n",
               pid, bridge);
    add_dns (text, network);
    xml_foreach (ip, network, "ip")
        add_ip (text, ip, network_forward (network) == FORWARD_NONE);
    //  The helper keeps the leases (network_lease.h).
    if (dhcp)
        text_addf (text,
                   "dhcp-no-override\ndhcp-authoritative\ndhcp-lease-max=%d\nleasefile-ro\n"
                   "dhcp-script=%s\n",
                   65536, helper);
    add_options (text, network);
    return text_finish (&text);
}

int network_dnsmasq_check (const xml_node_t *network, error_t *err)
{
    autofree char *text = network_dnsmasq_config (network, "", "", "");
    for (const char *line = text; *line; line += strcspn (line, "\n") + 1)
        if (strcspn (line, "\n") >= LINE_MAX_BYTES)
            return error_set (err, ERR_XML_ERROR,
                              "network XML: dnsmasq takes no line of more than %d bytes, and '%.40s"
                              "...' would be one",
                              LINE_MAX_BYTES - 1, line);
    return 0;
}

//  The process.

static char *recorded (const job_t *job)
{
    const xml_t *record = job->guest->record;
    return record ? text_copy (xml_string (xml_root (record), "dnsmasq/@process")) : NULL;
}

static const char *program (error_t *err)
{
    static const char *const places[] = { "/usr/sbin/dnsmasq", "/usr/local/sbin/dnsmasq", NULL };
    const char *found = find_program (places);
    if (!found)
        error_set (err, ERR_OPERATION_FAILED,
                   "the program dnsmasq is missing; install it (Debian: dnsmasq-base)");
    return found;
}

//  Its last words.
static int explain (job_t *job, error_t *err)
{
    error_t ignored; //  then there are none
    autofree char *log = network_path (job->paths, job->guest->uuid, NETWORK_LOG);
    autofree char *said = file_tail (log, 2, TAIL_BYTES, &ignored);
    if (said)
        error_one_line (said);
    return error_set (err, ERR_OPERATION_FAILED, "its dnsmasq could not start: %s",
                      said && *said ? said : "it said nothing");
}

//  It writes its pid first, looks at its folders, and says "started" then; not to us, if an option
//  of the user's has it log elsewhere.
static bool serves (const job_t *job, const process_t *process, const char *pid, int64_t waited_ms)
{
    error_t ignored; //  then it is silent
    autofree char *log = network_path (job->paths, job->guest->uuid, NETWORK_LOG);
    autofree char *said = file_tail (log, 20, TAIL_BYTES, &ignored);
    autofree char *words = text_format ("dnsmasq[%d]: started", (int) process->pid);
    return access (pid, F_OK) == 0 && ((said && strstr (said, words)) || waited_ms > SAY_MS);
}

static int wait_until_it_serves (job_t *job, const process_t *process, const char *pid,
                                 error_t *err)
{
    int64_t begun = job_now (job);
    error_t running = { 0 };
    for (int i = 0; !serves (job, process, pid, job_now (job) - begun); i++) {
        if (job_now (job) > begun + SERVE_MS)
            return error_set (err, ERR_OPERATION_TIMEOUT, "its dnsmasq does not serve within %d s",
                              SERVE_MS / 1000);
        if (job_wait (job, LOOK_MS, err))
            return -1;
        if (i % 10 == 9 && job_wait_exit (job, process, LOOK_MS, &running) == 0)
            return explain (job, err);
        if (running.code == ERR_OPERATION_ABORTED) {
            *err = running;
            return -1;
        }
    }
    return 0;
}

static int spawn (job_t *job, const char *config, process_t *process, error_t *err)
{
    guest_t *guest = job->guest;
    char identity[PROCESS_TEXT_SIZE];
    autofree char *option = text_format ("--conf-file=%s", config);
    autofree char *log = network_path (job->paths, guest->uuid, NETWORK_LOG);
    autofree char *socket = network_path (job->paths, guest->uuid, NETWORK_SOCKET);
    autofree char *leases = network_path (job->paths, guest->uuid, NETWORK_LEASES);
    autofree char *to_socket = text_format ("TROUPE_LEASE_SOCKET=%s", socket);
    autofree char *to_file = text_format ("TROUPE_LEASE_FILE=%s", leases);
    const char *argv[] = { program (err), option, NULL };
    const char *env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", to_socket, to_file,
                          NULL };
    spawn_t how = { .argv = argv, .env = env, .log = log };
    if (!argv[0] || job_spawn (job, &how, process, err))
        return -1;
    process_to_text (process, identity);
    xml_set (xml_root (guest->record), "dnsmasq/@process", identity);
    return job_undo (job, "process", identity, err) || job_record (job, err) ||
                   job_go (job, process, err)
               ? -1
               : 0;
}

//  As the live document says it. The caller frees it.
static char *config_of (const job_t *job, const char *bridge)
{
    autofree char *pid = network_path (job->paths, job->guest->uuid, NETWORK_PID);
    autofree char *helper = text_format ("%s/troupe-lease", job->helpers);
    return network_dnsmasq_config (xml_root (job->guest->live), bridge, helper, pid);
}

int network_dnsmasq_start (job_t *job, const char *bridge, error_t *err)
{
    guest_t *guest = job->guest;
    process_t process;
    autofree char *path = network_path (job->paths, guest->uuid, NETWORK_DNSMASQ);
    autofree char *pid = network_path (job->paths, guest->uuid, NETWORK_PID);
    autofree char *config = config_of (job, bridge);
    if (job_undo (job, "file", path, err) || job_undo (job, "file", pid, err) ||
        job_record (job, err) || job_remove_file (job, pid, err) ||
        job_write_file (job, path, config, err) || spawn (job, path, &process, err) ||
        wait_until_it_serves (job, &process, pid, err))
        return error_prefix (err, "network '%s'", guest->name);
    return 0;
}

int network_dnsmasq_stop (job_t *job, error_t *err)
{
    process_t process;
    autofree char *text = recorded (job);
    autofree char *path = network_path (job->paths, job->guest->uuid, NETWORK_DNSMASQ);
    autofree char *pid = network_path (job->paths, job->guest->uuid, NETWORK_PID);
    error_t gone; //  whether it is over decides
    if (text && process_from_text (text, &process)) {
        job_kill (job, &process, SIGTERM, &gone);
        if (job_wait_exit (job, &process, END_MS, err)) {
            job_kill (job, &process, SIGKILL, &gone);
            if (job_wait_exit (job, &process, END_MS, err))
                return error_prefix (err, "network '%s': its dnsmasq", job->guest->name);
        }
    }
    xml_remove_path (xml_root (job->guest->record), "dnsmasq");
    return job_remove_file (job, path, err) || job_remove_file (job, pid, err) ? -1 : 0;
}

//  From now on the owner is told of its end.
static bool runs (job_t *job)
{
    process_t process;
    autofree char *text = recorded (job);
    error_t gone;
    return text && process_from_text (text, &process) &&
           job_watch_exit (job, &process, &gone) == 0 &&
           job_wait_exit (job, &process, 0, &gone) != 0;
}

bool network_dnsmasq_serves (job_t *job, const char *bridge)
{
    error_t ignored; //  then it is not known
    autofree char *path = network_path (job->paths, job->guest->uuid, NETWORK_DNSMASQ);
    autofree char *wanted = config_of (job, bridge);
    autofree char *has = file_read (path, CONFIG_MAX_BYTES, NULL, &ignored);
    return runs (job) && text_equals (has, wanted);
}
