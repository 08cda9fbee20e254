//  network_files.c: see network_files.h.

#include "actors/network/network_files.h"

#include "actors/domain/domain_files.h"
#include "drivers/net/network_path.h"
#include "drivers/net/network_start.h"
#include "util/file.h"

#include <string.h>

static const char default_network[] = "<network>\n"
                                      "  <name>default</name>\n"
                                      "  <uuid>%s</uuid>\n"
                                      "  <metadata>\n"
                                      "    <troupe:choose-subnet xmlns:troupe='%s'/>\n"
                                      "  </metadata>\n"
                                      "  <forward mode='nat'/>\n"
                                      "  <bridge stp='on' delay='0'/>\n"
                                      "  <mac address='52:54:00:%.2s:%.2s:%.2s'/>\n"
                                      "  <ip address='192.168.122.1' netmask='255.255.255.0'>\n"
                                      "    <dhcp>\n"
                                      "      <range start='192.168.122.2' end='192.168.122.254'/>\n"
                                      "    </dhcp>\n"
                                      "  </ip>\n"
                                      "</network>\n";

int network_ship_default (const paths_t *paths, const char *uuid, error_t *err)
{
    autofree char *path = network_path (paths, uuid, NETWORK_DEFINITION);
    autofree char *text =
        text_format (default_network, uuid, NETWORK_CHOOSE_URI, uuid, uuid + 2, uuid + 4);
    return file_write (path, text, strlen (text), err);
}

int network_make_folders (const paths_t *paths, bool *new, error_t *err)
{
    autofree char *etc = text_format ("%s/networks", paths->etc);
    *new = access (etc, F_OK) != 0;
    const struct {
        const char *folder, *below;
        mode_t mode;
        bool sweep;
    } folders[] = { { paths->etc, "", 0700, true },
                    { paths->etc, "/autostart", 0700, true },
                    { paths->run, "", 0711, true },
                    { paths->lib, "", 0711, true },
                    { paths->log, "", 0711, false } };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        autofree char *path = text_format ("%s/networks%s", folders[i].folder, folders[i].below);
        if (file_make_folders (path, folders[i].mode, err) ||
            (folders[i].sweep && file_sweep (path, ".", ".new", err)))
            return -1;
    }
    autofree char *run = text_format ("%s/networks", paths->run);
    return file_sweep (run, "", ".output", err);
}

strings_t *network_list_files (const paths_t *paths, error_t *err)
{
    auto(strings_t) all = strings_new ();
    autofree char *etc = text_format ("%s/networks", paths->etc);
    autofree char *run = text_format ("%s/networks", paths->run);
    if (files_add_uuids (all, etc, ".xml", err) || files_add_uuids (all, run, ".status", err))
        return NULL;
    return strings_sort_once (all);
}
