//  snapshot_tree.h: the snapshots of one domain, as far as they are known: which there are, which
//  one came from which, and which one the disks go on from now. Pure but for reading the file.
//
//  The file is LIB/DRIVER/snapshot/UUID.xml, replaced as a whole, so that a snapshot is there or is
//  not, whenever the daemon ends:
//
//      <snapshots current='second'>
//        <domainsnapshot><name>first</name>...</domainsnapshot>
//        <domainsnapshot><name>second</name><parent><name>first</name></parent>...</domainsnapshot>
//      </snapshots>
//
//  Its elements are libvirt's (the format page of domain snapshots in its documentation).

#ifndef TROUPE_SNAPSHOT_TREE_H
#define TROUPE_SNAPSHOT_TREE_H

#include "util/paths.h"
#include "util/xml.h"

#define SNAPSHOT_NAME_MAX 200 //  bytes; what fits into an image, and into a file's name
#define SNAPSHOTS_MAX 1000    //  of a domain

typedef struct snapshot_tree snapshot_tree_t;

snapshot_tree_t *snapshot_tree_new (void);
void snapshot_tree_destroy (snapshot_tree_t **self_p);
DEFINE_AUTO (snapshot_tree_t, snapshot_tree_destroy)

//  Where the file is; the caller frees it.
char *snapshot_tree_path (const paths_t *paths, const char *driver, const char *uuid);
//  From the file; an empty tree if there is none. NULL and ERR, errno saying why (0: its content).
snapshot_tree_t *snapshot_tree_load (const char *path, error_t *err);
//  The file's content, which the caller frees; and back. ERR_XML_ERROR when it is no tree: a name
//  twice, a parent that is not there, a ring.
char *snapshot_tree_text (const snapshot_tree_t *self);
snapshot_tree_t *snapshot_tree_parse (const char *text, error_t *err);

size_t snapshot_tree_count (const snapshot_tree_t *self);
//  The elements, in the order in which they were added; they belong to the tree.
xml_node_t *snapshot_tree_first (const snapshot_tree_t *self);
xml_node_t *snapshot_tree_next (const xml_node_t *snapshot);
xml_node_t *snapshot_tree_find (const snapshot_tree_t *self, const char *name); //  or NULL
xml_node_t *snapshot_tree_current (const snapshot_tree_t *self);                //  or NULL
const char *snapshot_name (const xml_node_t *snapshot);
const char *snapshot_parent (const xml_node_t *snapshot); //  NULL: it is a root

//  Is SNAPSHOT one of those that came from ANCESTOR, at any distance?
bool snapshot_tree_is_below (const snapshot_tree_t *self, const xml_node_t *snapshot,
                             const char *ancestor);
size_t snapshot_tree_children (const snapshot_tree_t *self, const char *name);
size_t snapshot_tree_descendants (const snapshot_tree_t *self, const char *name);

//  Adds a copy of SNAPSHOT, with the parent that it names; REPLACE: instead of the one of its name,
//  if there is one. The tree is as it was when that fails.
int snapshot_tree_add (snapshot_tree_t *self, const xml_node_t *snapshot, bool replace,
                       error_t *err);
//  Removes one; those that came from it come from its parent then. If it was the current one, its
//  parent is.
void snapshot_tree_remove (snapshot_tree_t *self, const char *name);
void snapshot_tree_set_current (snapshot_tree_t *self, const char *name); //  NULL: none

#endif
