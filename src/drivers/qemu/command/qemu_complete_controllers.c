//  qemu_complete_controllers.c: numbers the controllers, gives them their models, and adds those
//  that the machine has anyway or that a device needs.

#include "drivers/qemu/command/qemu_complete.h"
#include "drivers/qemu/command/qemu_address.h"
#include "drivers/qemu/qemu_port.h"
#include "util/text.h"

#include <string.h>

#define INDEX_MAX 255
#define UNIT_MAX 16383
#define NARROW_MAX 6 //  7 is the controller itself

static bool is_type (const xml_node_t *controller, const char *type)
{
    return xml_equals (controller, "@type", type);
}

static xml_node_t *find_controller (completion_t *self, const char *type, int index)
{
    xml_foreach (controller, self->devices, "controller") {
        int own = -1;
        error_t ignored = { 0 };
        if (is_type (controller, type) &&
            !xml_int (controller, "@index", 0, INDEX_MAX, &own, &ignored) && own == index)
            return controller;
    }
    return NULL;
}

static xml_node_t *add_controller (completion_t *self, const char *type, int index)
{
    xml_node_t *controller = qemu_insert (self->devices, "controller");
    xml_set (controller, "@type", type);
    xml_setf (controller, "@index", "%d", index);
    return controller;
}

xml_node_t *qemu_new_controller (completion_t *self, const char *type, const char *model)
{
    int index = 0;
    while (find_controller (self, type, index))
        index++;
    xml_node_t *controller = add_controller (self, type, index);
    if (model)
        xml_set (controller, "@model", model);
    return controller;
}

static void ensure_controller (completion_t *self, const char *type, int index)
{
    if (!find_controller (self, type, index))
        add_controller (self, type, index);
}

static bool is_companion (const xml_node_t *controller)
{
    return text_starts (qemu_model_name (controller), "ich9-uhci");
}

//  The EHCI controller that stands before a companion in the document: what has no index
//  (virt-install writes none) belongs to that one's bus. NULL if there is none.
static xml_node_t *master_before (completion_t *self, const xml_node_t *companion)
{
    xml_node_t *master = NULL;
    xml_foreach (controller, self->devices, "controller") {
        if (controller == companion)
            break;
        if (xml_equals (controller, "@model", "ich9-ehci1"))
            master = controller;
    }
    return master;
}

static int complete_index (completion_t *self, xml_node_t *controller, error_t *err)
{
    const char *type = xml_string (controller, "@type");
    if (!type)
        return error_set (err, ERR_XML_ERROR, "domain XML: a controller has no type");
    int index = 0;
    if (xml_int (controller, "@index", 0, INDEX_MAX, &index, err))
        return -1;
    if (xml_string (controller, "@index"))
        return 0;
    xml_node_t *master = is_companion (controller) ? master_before (self, controller) : NULL;
    if (master) {
        xml_set (controller, "@index", xml_string (master, "@index"));
        return 0;
    }
    while (find_controller (self, type, index))
        index++;
    xml_setf (controller, "@index", "%d", index);
    return 0;
}

static const char *default_model (completion_t *self, const char *type)
{
    if (strcmp (type, "usb") == 0)
        return self->q35 ? "qemu-xhci" : "piix3-uhci";
    if (strcmp (type, "scsi") == 0)
        return qemu_caps_device (self->caps, "lsi53c895a") ? "lsilogic" : "virtio-scsi";
    return NULL;
}

//  QEMU's list of devices has no second names.
static const char *listed_name (const char *driver)
{
    if (strcmp (driver, "lsi") == 0)
        return "lsi53c895a";
    return strcmp (driver, "ahci") == 0 ? "ich9-ahci" : driver;
}

static bool is_root (const xml_node_t *controller)
{
    return xml_equals (controller, "@model", "pci-root") ||
           xml_equals (controller, "@model", "pcie-root");
}

static int check_model (completion_t *self, xml_node_t *controller, error_t *err)
{
    const char *type = xml_string (controller, "@type"), *model = xml_string (controller, "@model");
    bool built_in = is_type (controller, "ide") || is_type (controller, "fdc");
    bool there =
        xml_equals (controller, "@index", "0") && !(self->q35 && is_type (controller, "ide"));
    if (built_in && !there)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a controller of type '%s' with index %s of the machine "
                          "'%s', which has none; use scsi, sata or virtio",
                          type, xml_string (controller, "@index"), self->machine.name);
    bool no_usb = model && is_type (controller, "usb") && strcmp (model, "none") == 0;
    if (built_in || is_root (controller) || no_usb)
        return 0;
    const qemu_model_t *known = qemu_model_of (controller);
    if (!known)
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a controller of type '%s' and model '%s'", type,
                          model ? model : "");
    autofree char *driver = qemu_model_driver (known, controller);
    const char *listed = listed_name (driver);
    if (!qemu_caps_device (self->caps, listed))
        return error_set (err, ERR_CONFIG_UNSUPPORTED,
                          "not supported: a controller of type '%s' and model '%s'; the emulator "
                          "'%s' has no device '%s'",
                          type, model ? model : "", xml_string (self->devices, "emulator"), listed);
    return 0;
}

//  The first of the EHCI controller's ports that a companion serves: two each.
static void complete_master (xml_node_t *controller)
{
    static const char *const ports[][2] = {
        { "ich9-uhci1", "0" },
        { "ich9-uhci2", "2" },
        { "ich9-uhci3", "4" },
    };
    for (size_t i = 0; i < 3; i++)
        if (xml_equals (controller, "@model", ports[i][0]))
            qemu_default (controller, "master/@startport", ports[i][1]);
}

static int complete_given (completion_t *self, error_t *err)
{
    xml_foreach (controller, self->devices, "controller") {
        if (complete_index (self, controller, err))
            return -1;
        const char *model = default_model (self, xml_string (controller, "@type"));
        if (model)
            qemu_default (controller, "@model", model);
        complete_master (controller);
        if (check_model (self, controller, err))
            return -1;
    }
    return 0;
}

//  Another one of a guest's SCSI controllers is like those that it has: it has a driver for them.
//  Without any it is the default model, libvirt's: lsilogic, unless the emulator has none.
static void ensure_for_disk (completion_t *self, const char *type, int index)
{
    const char *model = NULL;
    if (find_controller (self, type, index))
        return;
    xml_foreach (controller, self->devices, "controller")
        if (is_type (controller, type))
            model = xml_string (controller, "@model");
    xml_node_t *added = add_controller (self, type, index);
    if (model)
        xml_set (added, "@model", model);
}

//  A disk on the third SCSI controller needs the first two as well.
static int add_for_disks (completion_t *self, error_t *err)
{
    static const char *const types[] = { "ide", "sata", "scsi", "fdc" };
    for (size_t i = 0; i < 4; i++)
        xml_foreach (disk, self->devices, "disk") {
            int most = 0;
            if (!xml_equals (disk, "target/@bus", types[i]))
                continue;
            if (xml_int (disk, "address/@controller", 0, INDEX_MAX, &most, err))
                return -1;
            for (int index = 0; index <= most; index++)
                ensure_for_disk (self, types[i], index);
        }
    return 0;
}

//  What else is at a SCSI bus. The model that disks get if nothing is said knows old commands only.
static int add_for_hostdevs (completion_t *self, error_t *err)
{
    xml_foreach (hostdev, self->devices, "hostdev") {
        int most = 0;
        if (!xml_equals (hostdev, "@type", "scsi"))
            continue;
        if (xml_int (hostdev, "address/@controller", 0, INDEX_MAX, &most, err))
            return -1;
        for (int index = 0; index <= most; index++)
            if (!find_controller (self, "scsi", index))
                xml_set (add_controller (self, "scsi", index), "@model", "virtio-scsi");
    }
    return 0;
}

static int add_for_ports (completion_t *self, error_t *err)
{
    xml_foreach (device, self->devices, NULL) {
        int index = 0;
        if (!qemu_has_address_type (device, "virtio-serial"))
            continue;
        if (xml_int (device, "address/@controller", 0, INDEX_MAX, &index, err))
            return -1;
        ensure_controller (self, "virtio-serial", index);
    }
    return 0;
}

static int check_unique (completion_t *self, error_t *err)
{
    xml_foreach (controller, self->devices, "controller")
        xml_foreach (other, self->devices, "controller") {
            if (other == controller)
                break;
            bool same = xml_equals (other, "@type", xml_string (controller, "@type")) &&
                        xml_equals (other, "@index", xml_string (controller, "@index"));
            //  An EHCI controller and its companions are one bus.
            bool companions = text_starts (qemu_model_name (controller), "ich9-") &&
                              !xml_equals (other, "@model", qemu_model_name (controller));
            if (same && !companions)
                return error_set (err, ERR_XML_ERROR,
                                  "domain XML: there are two controllers of type '%s' with index "
                                  "%s",
                                  xml_string (controller, "@type"),
                                  xml_string (controller, "@index"));
        }
    return 0;
}

//  Of the units that a disk's target alone gives (qemu_complete_disk.c) it has half.
static int check_narrow (completion_t *self, error_t *err)
{
    xml_foreach (disk, self->devices, "disk") {
        int index = 0, unit = 0;
        if (!xml_equals (disk, "target/@bus", "scsi"))
            continue;
        if (xml_int (disk, "address/@controller", 0, INDEX_MAX, &index, err) ||
            xml_int (disk, "address/@unit", 0, UNIT_MAX, &unit, err))
            return -1;
        const xml_node_t *controller = find_controller (self, "scsi", index);
        if (unit > NARROW_MAX && xml_equals (controller, "@model", "lsilogic"))
            return error_set (
                err, ERR_CONFIG_UNSUPPORTED,
                "not supported: disk '%s' at unit %d of the SCSI controller %d, which "
                "as 'lsilogic' has units 0 to %d: give it another <address>, or the "
                "controller model='virtio-scsi'",
                xml_string (disk, "target/@dev"), unit, index, NARROW_MAX);
    }
    return 0;
}

//  A companion serves ports of an EHCI controller.
static int check_companions (completion_t *self, error_t *err)
{
    xml_foreach (controller, self->devices, "controller") {
        bool alone = is_companion (controller);
        xml_foreach (other, self->devices, "controller")
            if (xml_equals (other, "@model", "ich9-ehci1") &&
                xml_equals (other, "@index", xml_string (controller, "@index")))
                alone = false;
        if (alone)
            return error_set (err, ERR_XML_ERROR,
                              "domain XML: the USB controller '%s' with index %s has no "
                              "'ich9-ehci1' with the same index, whose companion it would be",
                              qemu_model_name (controller), xml_string (controller, "@index"));
    }
    return 0;
}

//  Before the others, which may have no index, are given theirs.
static void add_root (completion_t *self)
{
    xml_foreach (controller, self->devices, "controller")
        if (is_type (controller, "pci") && is_root (controller))
            qemu_default (controller, "@index", "0");
    if (!find_controller (self, "pci", 0))
        xml_set (add_controller (self, "pci", 0), "@model", self->q35 ? "pcie-root" : "pci-root");
}

static int check_root (completion_t *self, error_t *err)
{
    const char *root = self->q35 ? "pcie-root" : "pci-root";
    const xml_node_t *first = find_controller (self, "pci", 0);
    if (!xml_equals (first, "@model", root))
        return error_set (err, ERR_XML_ERROR,
                          "domain XML: the first PCI controller of the machine '%s' is '%s', "
                          "not '%s'",
                          self->machine.name, root, qemu_model_name (first));
    xml_foreach (controller, self->devices, "controller") {
        if (is_type (controller, "pci") && is_root (controller) && controller != first)
            return error_set (err, ERR_CONFIG_UNSUPPORTED,
                              "not supported: a PCI controller of model '%s' with index %s",
                              xml_string (controller, "@model"), xml_string (controller, "@index"));
    }
    return 0;
}

//  What every machine of its kind has.
static int add_for_machine (completion_t *self, error_t *err)
{
    if (!find_controller (self, "usb", 0))
        xml_set (add_controller (self, "usb", 0), "@model", default_model (self, "usb"));
    if (self->q35)
        ensure_controller (self, "sata", 0);
    return check_root (self, err);
}

int qemu_complete_controllers (completion_t *self, error_t *err)
{
    add_root (self);
    if (complete_given (self, err) || add_for_machine (self, err) || add_for_disks (self, err) ||
        add_for_hostdevs (self, err) || add_for_ports (self, err))
        return -1;
    //  Again: those that were added have no model yet.
    bool failed = complete_given (self, err) || check_unique (self, err) ||
                  check_narrow (self, err) || check_companions (self, err) ||
                  qemu_complete_virtio_ports (self, err) || qemu_complete_usb_ports (self, err);
    return failed ? -1 : 0;
}
