//  qemu_models.h: what QEMU calls the devices of libvirt's XML, and where they can be plugged in.

#ifndef TROUPE_QEMU_MODELS_H
#define TROUPE_QEMU_MODELS_H

#include "util/xml.h"

typedef enum {
    PLUG_NONE, //  not on PCI
    PLUG_PCI,  //  a conventional slot
    PLUG_PCIE, //  a PCI Express port where the machine has them, else a conventional slot
    PLUG_ROOT  //  the root bus itself: integrated devices
} qemu_plug_t;

typedef struct {
    const char *kind;   //  "interface", "controller/scsi", ...
    const char *model;  //  as the XML has it
    const char *driver; //  as QEMU's -device has it
    qemu_plug_t plug;
    unsigned flags; //  MODEL_...
} qemu_model_t;

enum {
    MODEL_VIRTIO = 1,      //  takes <driver iommu= ats= packed= page_per_vq=>
    MODEL_TRANSITIONAL = 2 //  has variants virtio-transitional and virtio-non-transitional
};

//  What DEVICE (a child of <devices>, completed) is, or NULL: QEMU has no device of its own for it
//  (built into the machine, on a bus that is not PCI, or unknown).
const qemu_model_t *qemu_model_of (const xml_node_t *device);
//  The model attribute that decides it: "virtio" for a virtio disk, "" if it has none.
const char *qemu_model_name (const xml_node_t *device);
//  "interface", "controller/scsi"; "disk" and "input" only on the virtio bus, else NULL.
const char *qemu_model_kind (const xml_node_t *device);

//  The driver's name with the suffix of a transitional or non-transitional model.
char *qemu_model_driver (const qemu_model_t *model, const xml_node_t *device);
//  Where it can be plugged in, the variants of virtio considered.
qemu_plug_t qemu_model_plug (const xml_node_t *device);

#endif
