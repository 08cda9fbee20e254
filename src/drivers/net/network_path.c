//  network_path.c: see network_path.h.

#include "drivers/net/network_path.h"

#include "util/text.h"

char *network_path (const paths_t *paths, const char *uuid, network_file_t file)
{
    const struct {
        const char *folder, *below, *suffix;
    } places[NETWORK_FILE_COUNT] = {
        [NETWORK_DEFINITION] = { paths->etc, "", ".xml" },
        [NETWORK_AUTOSTART] = { paths->etc, "/autostart", "" },
        [NETWORK_STATUS] = { paths->run, "", ".status" },
        [NETWORK_DNSMASQ] = { paths->run, "", ".conf" },
        [NETWORK_PID] = { paths->run, "", ".pid" },
        [NETWORK_RULES] = { paths->run, "", ".nft" },
        [NETWORK_OUTPUT] = { paths->run, "", ".output" },
        [NETWORK_SOCKET] = { paths->run, "", ".lease" },
        [NETWORK_LEASES] = { paths->lib, "", ".leases" },
        [NETWORK_LOG] = { paths->log, "", ".log" },
    };
    return text_format ("%s/networks%s/%s%s", places[file].folder, places[file].below, uuid,
                        places[file].suffix);
}
