//  qemu_chains.h: which images stand on which: what the domain uses, and what each of its snapshots
//  goes back to. From that follows how an external snapshot is deleted: the image above its own
//  (the overlay that was made when it was taken) is merged into it.
//
//      <chains>
//        <use disk='vda' live='yes'>                what the domain uses; live: what runs
//          <image path='/a.two' format='qcow2' named='a.one'/>   first is what is written to;
//          <image path='/a.one' .../>                            how its header names the next
//        </use>
//        <use disk='vda' snapshot='one' place='external' source='/a'>...</use>
//        <overlay disk='vda' snapshot='one' path='/a.one' base='/a'/>
//      </chains>
//
//  Paths are those that the kernel resolves; source is how the snapshot's document has it.

#ifndef TROUPE_QEMU_CHAINS_H
#define TROUPE_QEMU_CHAINS_H

#include "drivers/job.h"
#include "drivers/snapshot_tree.h"

//  Of all disks that an external snapshot is of, and what the domain has as other disks. Images
//  that are not there any more end a chain. The caller owns the result.
xml_t *qemu_chains_load (job_t *job, const snapshot_tree_t *tree, error_t *err);

//  Adds to PLAN what deleting SNAPSHOT comes to for its disks, and changes CHAINS as if it were
//  done; pure:
//
//      <merge disk='vda' top='/a.one' base='/a' name='/a' format='qcow2' live='yes'>
//        <below path='/golden'/>                        what the base stands on
//        <above path='/a.two' named='/a' live='yes'/>   its header is to name the base now
//      </merge>
//      <drop path='/a.one'/>                            a file to be removed at the end
//
//  ERR_OPERATION_UNSUPPORTED: something else depends on the image as it is.
int qemu_chains_plan (xml_t *chains, const xml_node_t *snapshot, xml_node_t *plan, error_t *err);

//  The path that the kernel resolves PATH to; PATH if there is no such file. The caller frees it.
char *qemu_chains_path (const char *path);

//  Where a document has <disk> on the image TOP, or TOP among those below it, it has what is below
//  TOP there: the image NAME (in FORMAT) if that is not written down. True if it was changed.
bool qemu_chains_rewrite (xml_node_t *disk, const char *top, const char *name, const char *format);

#endif
