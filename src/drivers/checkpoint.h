//  checkpoint.h: the checkpoints of one domain: the instants since when bitmaps record what the
//  guest writes to its disks. All of them are one document, in the order in which they came:
//
//      <checkpoints>
//        <domaincheckpoint>
//          <name>1700000000</name>
//          <creationTime>1700000000</creationTime>
//          <parent><name>...</name></parent>
//          <disks><disk name='vda' checkpoint='bitmap' bitmap='1700000000'/></disks>
//        </domaincheckpoint>
//      </checkpoints>
//
//  (libvirt's checkpoint XML format; without the domain's own document.) The bitmaps record side by
//  side, so none depends on another: the parents are history. Pure but for checkpoints_save.

#ifndef TROUPE_CHECKPOINT_H
#define TROUPE_CHECKPOINT_H

#include "drivers/job.h"

#define CHECKPOINTS_MAX 128 //  of a domain; each costs a little at each write

//  LIB/DRIVER/checkpoint/UUID.xml; the caller frees it.
char *checkpoints_path (const paths_t *paths, const char *driver, const char *uuid);

xml_t *checkpoints_new (void);
//  From a file's TEXT. The caller owns it; ERR_XML_ERROR: a name twice, a parent that is not there.
xml_t *checkpoints_parse (const char *text, error_t *err);

const char *checkpoint_name (const xml_node_t *checkpoint);
const char *checkpoint_parent (const xml_node_t *checkpoint); //  NULL: it is the first
//  Does it have a bitmap of the disk with this target?
bool checkpoint_has_disk (const xml_node_t *checkpoint, const char *disk);

//  ALL may be NULL: none.
xml_node_t *checkpoint_find (const xml_t *all, const char *name); //  or NULL
const char *checkpoint_last (const xml_t *all);                   //  name of the newest; NULL
size_t checkpoints_count (const xml_t *all);
//  Did CHECKPOINT come after ANCESTOR, at any distance?
bool checkpoint_is_below (const xml_t *all, const xml_node_t *checkpoint, const char *ancestor);

//  Adds a copy, or replaces the one of its name. ALL is as it was when that fails.
int checkpoint_add (xml_t **all_p, const xml_node_t *checkpoint, error_t *err);
//  Those that came from it come from its parent then.
void checkpoint_remove (xml_t *all, const char *name);

//  job->guest->checkpoints into the file of DRIVER's; durable.
int checkpoints_save (job_t *job, const char *driver, error_t *err);

#endif
