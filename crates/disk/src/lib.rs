//! Disk contents written without mounts: ext4, FAT, GPT, fixed VHD, qcow2.
