//  snapshot_xml.h: <domainsnapshot>: from what a user asks for to what is kept. Pure. The format is
//  libvirt's (the format page of domain snapshots in its documentation).

#ifndef TROUPE_SNAPSHOT_XML_H
#define TROUPE_SNAPSHOT_XML_H

#include "drivers/guest.h"
#include "drivers/snapshot_tree.h"

typedef enum {
    SNAPSHOT_NO,
    SNAPSHOT_INTERNAL, //  in the image itself
    SNAPSHOT_EXTERNAL  //  in a file of its own
} snapshot_place_t;

//  What a snapshot is to be made of.
typedef struct {
    const xml_t *domain;   //  what runs, without what belongs to this start; or the definition
    const xml_t *inactive; //  the definition beside it; NULL: the same, or none
    guest_state_t state;
    bool active;
    bool disk_only;     //  without the memory of a guest that runs
    const char *parent; //  NULL: it is a root
    int64_t now_s;      //  wall clock
} snapshot_basis_t;

//  The document to keep: a name, if there was none; when, of what, the place of memory and of each
//  disk, the domain itself. GIVEN is the user's, or NULL. The caller owns it.
xml_t *snapshot_xml_make (const xml_t *given, const snapshot_basis_t *basis, error_t *err);

//  The user's own, of a snapshot that there is (OLD) or was somewhere else (OLD NULL): checked, and
//  kept as it is. DOMAIN_UUID: whose it has to be.
xml_t *snapshot_xml_redefine (const xml_t *given, const xml_node_t *old, const char *domain_uuid,
                              error_t *err);

//  Reading what was made.
snapshot_place_t snapshot_memory (const xml_node_t *snapshot);
snapshot_place_t snapshot_disk_place (const xml_node_t *disk); //  of one <disk>
//  Is any part of it in a file of its own?
bool snapshot_is_external (const xml_node_t *snapshot);
bool snapshot_was_active (const xml_node_t *snapshot); //  it has memory
//  A document of its <domain>; INACTIVE: of its <inactiveDomain>, if it has one. NULL: it has none.
xml_t *snapshot_domain (const xml_node_t *snapshot, bool inactive);
//  The image's name with the snapshot's in the place of its suffix. The caller frees it.
char *snapshot_default_file (const char *source, const char *name);
//  The disk of DOMAIN whose target or source is NAME; NULL.
xml_node_t *snapshot_find_disk (const xml_t *domain, const char *name);
//  Its file or device; NULL: it has none.
const char *snapshot_disk_source (const xml_node_t *disk);

#endif
