//! From a root tree to a bootable disk image and its bill of materials, and to a running guest.
