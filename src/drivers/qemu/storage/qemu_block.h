//  qemu_block.h: the disks of a running guest, and their images, as QEMU has them now. What is
//  behind a disk changes with block jobs and snapshots, so QEMU is asked each time: its answers
//  are the truth, the document follows. (QEMU's QMP reference: query-block,
//  query-named-block-nodes, blockdev-add, blockdev-create, x-debug-query-block-graph.)
//
//  Nodes that were made by the start are called "disk-vda" and "disk-vda-file", later ones
//  "disk-vda-1" and "disk-vda-1-file"; those that QEMU opened by itself, because an image names
//  them, have names of QEMU's ("#block123"). Only qemu_block_find knows which is which.

#ifndef TROUPE_QEMU_BLOCK_H
#define TROUPE_QEMU_BLOCK_H

#include "drivers/job.h"
#include "drivers/qemu/storage/qemu_block_node.h"

#define QEMU_NODE_MAX 64 //  bytes of a node's name; QEMU takes 31

//  One image of a chain. All strings belong to the qemu_disk_t.
typedef struct {
    char node[QEMU_NODE_MAX];
    char *path;                    //  of the host; NULL: it is no file or block device
    char *format;                  //  "qcow2"
    bool block;                    //  a block device
    uint64_t capacity, allocation; //  bytes
} qemu_image_t;

typedef struct {
    xml_node_t *element;      //  <disk> in job->guest->live
    const char *target;       //  "vda", of the document
    char *qdev;               //  QEMU's name of the device, for commands that take an id
    char root[QEMU_NODE_MAX]; //  the node that the device uses: the first image's, or a filter's
    qemu_image_t *chain;      //  what the guest sees first
    size_t count;             //  0: there is no medium
} qemu_disk_t;

//  The <disk> of DOCUMENT that NAME means, as virsh has it: its target ("vda"), or the path of its
//  source. NULL: there is none.
xml_node_t *qemu_block_element (const xml_t *document, const char *name);

//  The running guest's disk. ERR_INVALID_ARG names those that there are. The caller owns it.
qemu_disk_t *qemu_block_find (job_t *job, const char *name, error_t *err);
void qemu_disk_destroy (qemu_disk_t **self_p);
DEFINE_AUTO (qemu_disk_t, qemu_disk_destroy)
//  Which image of the chain NAME means: its path, or "vda[2]" for the third. COUNT: none of them.
size_t qemu_disk_index (const qemu_disk_t *self, const char *name);

//  A name for a new node of the disk that QEMU does not have yet. The caller frees it.
char *qemu_block_name (job_t *job, const char *target, error_t *err);

//  Nodes. What adds them is undone by "qemu.node" NODE, which the caller pushes first.

//  Adds the two nodes of an image that is there, with DISK's settings.
int qemu_block_add (job_t *job, const xml_node_t *disk, const qemu_node_t *node, error_t *err);
//  Removes the node and that of its file. It is no error if QEMU does not have them, or removed
//  them itself; it is one if something still uses them.
int qemu_block_remove (job_t *job, const char *node, error_t *err);

//  New images, in three steps:
//
//      undo "qemu.image" ":PATH"        the file that has no name yet is removed
//      qemu_block_new_file              makes it, for QEMU's user, and tells which inode it is
//      undo "qemu.image" "INODE:PATH"   the file is removed if it is this one
//      qemu_block_name_file             it gets its name, unless there is such a file by now
//      undo "qemu.node" NODE
//      qemu_block_create                writes the image, and adds its nodes
typedef struct {
    qemu_node_t node;           //  as it is added
    uint64_t capacity;          //  bytes
    const char *backing_path;   //  named in the new image; NULL: none
    const char *backing_format; //  of that
} qemu_create_t;

//  "DEV:INO", as the kernel returned it.
typedef char qemu_inode_t[48];

//  CAPACITY: of a raw image; 0 else.
int qemu_block_new_file (job_t *job, const char *path, uint64_t capacity, qemu_inode_t inode,
                         error_t *err);
int qemu_block_name_file (job_t *job, const char *path, error_t *err);
//  Removes what new_file made, whatever it is called now. INODE "": it has no name yet.
int qemu_block_drop_file (job_t *job, const char *path, const char *inode, error_t *err);
//  The file, or a block device, is there.
int qemu_block_create (job_t *job, const xml_node_t *disk, const qemu_create_t *create,
                       error_t *err);

//  Names CHAIN (as qemu_block_find has it) in DISK, an element of the live document or of a
//  definition: source, format and backing images.
void qemu_block_write (xml_node_t *disk, const qemu_image_t *chain, size_t count);

//  QEMU's own words about a job that is over: 0 if it succeeded. The job is dismissed. It has to be
//  one that was started with auto-dismiss off.
int qemu_block_wait_job (job_t *job, const char *id, error_t *err);
//  Cancels the job, unless it is over, and dismisses it. It is no error if there is none.
int qemu_block_end_job (job_t *job, const char *id, error_t *err);

//  Block jobs are in the guest's record: <blockjob id='copy-vda' disk='vda' .../>.

//  The one of the disk with this target (NULL: of any); NULL: there is none.
xml_node_t *qemu_block_job_of (const guest_t *guest, const char *target);
//  ERR_OPERATION_INVALID if a disk (TARGET NULL: any) is in a block job: WHAT is not possible then.
int qemu_block_check_idle (const guest_t *guest, const char *target, const char *what,
                           error_t *err);

#endif
