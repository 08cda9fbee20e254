//  network_path.h: where the files of a network are.

#ifndef TROUPE_NETWORK_PATH_H
#define TROUPE_NETWORK_PATH_H

#include "util/paths.h"

typedef enum {
    NETWORK_DEFINITION, //  ETC/networks/UUID.xml
    NETWORK_AUTOSTART,  //  ETC/networks/autostart/UUID: its being there counts
    NETWORK_STATUS,     //  RUN/networks/UUID.status
    NETWORK_DNSMASQ,    //  RUN/networks/UUID.conf: of its dnsmasq
    NETWORK_PID,        //  RUN/networks/UUID.pid: dnsmasq writes it once it serves
    NETWORK_RULES,      //  RUN/networks/UUID.nft: the last transaction
    NETWORK_OUTPUT,     //  RUN/networks/UUID.output: what a program said
    NETWORK_SOCKET,     //  RUN/networks/UUID.lease: where its owner hears of leases
    NETWORK_LEASES,     //  LIB/networks/UUID.leases: troupe-lease keeps them
    NETWORK_LOG,        //  LOG/networks/UUID.log: what its dnsmasq says
    NETWORK_FILE_COUNT
} network_file_t;

//  The caller frees it.
char *network_path (const paths_t *paths, const char *uuid, network_file_t file);

#endif
