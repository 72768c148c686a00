//! File capabilities: the extended attribute `security.capability` as text (capabilities(7), cap_from_text(3)).

/// Capabilities by number (linux/capability.h).
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

const REVISION_MASK: u32 = 0xff00_0000;
/// `VFS_CAP_REVISION_2`; revision 3 is for user namespaces, which packages do not have.
const REVISION_2: u32 = 0x0200_0000;
const EFFECTIVE: u32 = 1;

/// The text of a `vfs_cap_data` of revision 2: `cap_net_raw=ep`. `None` if it cannot be said.
pub(crate) fn to_text(value: &[u8]) -> Option<String> {
    if value.len() != 20 {
        return None;
    }
    let (words, _) = value.as_chunks::<4>();
    let word = |at: usize| u32::from_le_bytes(words[at]);
    let (magic, bits) = (word(0), |low: usize| {
        u64::from(word(low)) | u64::from(word(low + 2)) << 32
    });
    let (permitted, inheritable) = (bits(1), bits(2));
    if magic & REVISION_MASK != REVISION_2 || (permitted | inheritable) >> NAMES.len() != 0 {
        return None;
    }
    let effective = if magic & EFFECTIVE != 0 { "e" } else { "" };
    let clause = |set: u64, flags: &str| {
        let names: Vec<&str> = NAMES
            .iter()
            .enumerate()
            .filter(|(bit, _)| set >> bit & 1 == 1)
            .map(|(_, name)| *name)
            .collect();
        (!names.is_empty()).then(|| format!("{}={flags}", names.join(",")))
    };
    let clauses = [
        clause(permitted & !inheritable, &format!("{effective}p")),
        clause(permitted & inheritable, &format!("{effective}ip")),
        clause(inheritable & !permitted, &format!("{effective}i")),
    ];
    let text = clauses.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::to_text;

    #[test]
    fn attributes() {
        for (hex, expected) in [
            // As setcap writes them.
            ("0100000200200000000000000000000000000000", Some("cap_net_raw=ep")),
            (
                "0000000202000000000000000000000000000000",
                Some("cap_dac_override=p"),
            ),
            (
                "0100000202100000000000008000000000000000",
                Some("cap_dac_override,cap_net_admin,cap_bpf=ep"),
            ),
            (
                "0100000202100000021000008000000080000000",
                Some("cap_dac_override,cap_net_admin,cap_bpf=eip"),
            ),
            ("01000003002000000000000000000000000000000000", None),
            ("0100000200000000000000000000000000000000", None),
            ("0100", None),
        ] {
            assert_eq!(
                hex::decode(hex).ok().and_then(|v| to_text(&v)).as_deref(),
                expected,
                "{hex}"
            );
        }
    }
}
