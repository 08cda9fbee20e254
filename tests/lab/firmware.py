"""A guest's whole system, in place of its firmware, which would need seconds in the lab: it says 'B' at its serial
port; then, with each tick of the clock, it looks at q35's registers of ACPI hot-plug (docs/specs/acpi_pci_hotplug of
QEMU) whether devices are to go, and lets go of all of them."""

SIZE = 64 << 10  # at the end of the first MiB: F000:0000

#   In real mode, where MOV to segment registers keeps the limit of 4 GiB that they had in protected mode.
PROGRAM = bytes.fromhex(
    "fa"  #                           cli
    "2e 66 0f 01 16 98 00"  #         lgdt cs:[gdtr]
    "0f 20 c0"  #                     mov eax, cr0
    "0c 01"  #                        or al, 1
    "0f 22 c0"  #                     mov cr0, eax
    "bb 08 00"  #                     mov bx, 8
    "8e db"  #                        mov ds, bx
    "24 fe"  #                        and al, ~1
    "0f 22 c0"  #                     mov cr0, eax
    "66 bb 50 03 e0 fe"  #            mov ebx, 0xfee00350  the local APIC passes interrupts on:
    "67 66 c7 03 00 07 00 00"  #      mov dword [ebx], 0x700    LINT0 is ExtINT
    "b3 f0"  #                        mov bl, 0xf0
    "b7 00"  #                        mov bh, 0
    "67 66 c7 03 ff 01 00 00"  #      mov dword [ebx], 0x1ff    and it is on
    "31 c0"  #                        xor ax, ax
    "8e d8"  #                        mov ds, ax
    "8e d0"  #                        mov ss, ax
    "bc 00 70"  #                     mov sp, 0x7000
    "c7 06 80 00 97 00"  #            mov word [4 * 0x20], ticked
    "c7 06 82 00 00 f0"  #            mov word [4 * 0x20 + 2], 0xf000
    "b0 11 e6 20"  #                  out 0x20, 0x11     the PIC: the clock's interrupt alone, as 0x20
    "b0 20 e6 21"  #                  out 0x21, 0x20
    "b0 04 e6 21"  #                  out 0x21, 4
    "b0 03 e6 21"  #                  out 0x21, 3
    "b0 fe e6 21"  #                  out 0x21, 0xfe
    "b0 34 e6 43"  #                  out 0x43, 0x34     the clock: every 55 ms
    "30 c0"  #                        xor al, al
    "e6 40 e6 40"  #                  out 0x40, al, twice
    "ba f8 03"  #                     mov dx, 0x3f8
    "b0 42"  #                        mov al, 'B'
    "ee"  #                           out dx, al
    "fb"  #                     tick: sti
    "f4"  #                           hlt
    "31 c9"  #                        xor cx, cx
    "ba d0 0c"  #               bus:  mov dx, 0xcd0      which bus
    "66 0f b7 c1"  #                  movzx eax, cx
    "66 ef"  #                        out dx, eax
    "ba c4 0c"  #                     mov dx, 0xcc4      which of its slots are to go
    "66 ed"  #                        in eax, dx
    "66 85 c0"  #                     test eax, eax
    "74 0b"  #                        jz none
    "66 83 f8 ff"  #                  cmp eax, -1
    "74 05"  #                        jz none
    "ba c8 0c"  #                     mov dx, 0xcc8      let go of them
    "66 ef"  #                        out dx, eax
    "41"  #                     none: inc cx
    "83 f9 10"  #                     cmp cx, 16
    "72 dc"  #                        jb bus
    "eb d6"  #                        jmp tick
    "cf"  #                   ticked: iret
    "0f 00 9e 00 0f 00"  #      gdtr: 15, 0xf009e
    "00 00 00 00 00 00 00 00"  #      no segment
    "ff ff 00 00 00 92 cf 00"  #      one of 4 GiB
)

#   Where the processor begins.
RESET = bytes.fromhex("ea 00 00 00 f0").ljust(16, b"\0")  # jmp 0xf000:0

SYSTEM = PROGRAM.ljust(SIZE - len(RESET), b"\0") + RESET
