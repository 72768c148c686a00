//! File capabilities: text (`cap_net_raw=ep`, cap_from_text(3)) to the extended attribute `security.capability`
//! (linux/capability.h, `struct vfs_cap_data` of revision 2).

/// The attribute's name.
pub(crate) const ATTRIBUTE: &str = "security.capability";

/// VFS_CAP_REVISION_2
const REVISION_2: u32 = 0x0200_0000;
/// VFS_CAP_FLAGS_EFFECTIVE
const EFFECTIVE: u32 = 1;

/// Names by number (linux/capability.h).
const NAMES: &[&str] = &[
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

#[derive(Default)]
struct Sets {
    effective: u64,
    inheritable: u64,
    permitted: u64,
}

/// The attribute's 20 bytes; `Err` says what is wrong with the text.
pub(crate) fn encode(text: &str) -> Result<[u8; 20], String> {
    let mut sets = Sets::default();
    for clause in text.split_whitespace() {
        apply(clause, &mut sets)?;
    }
    // The file has one effective bit: rpm and setcap take it as set if any capability is effective.
    let magic = REVISION_2 | if sets.effective == 0 { 0 } else { EFFECTIVE };
    let words = [
        magic,
        low(sets.permitted),
        low(sets.inheritable),
        low(sets.permitted >> 32),
        low(sets.inheritable >> 32),
    ];
    let mut bytes = [0; 20];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    Ok(bytes)
}

fn low(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or_default()
}

/// One clause: `names` followed by one or more of `=flags`, `+flags`, `-flags`.
fn apply(clause: &str, sets: &mut Sets) -> Result<(), String> {
    let start = clause
        .find(['=', '+', '-'])
        .ok_or_else(|| format!("`{clause}` has no `=`, `+` or `-`"))?;
    let (names, mut actions) = clause.split_at(start);
    let mask = mask_of(names)?;
    while let Some(operator) = actions.chars().next() {
        let rest = actions.get(1..).unwrap_or_default();
        let end = rest.find(['=', '+', '-']).unwrap_or(rest.len());
        let (flags, next) = rest.split_at(end);
        if let Some(unknown) = flags.chars().find(|flag| !"eip".contains(*flag)) {
            return Err(format!("`{clause}` has the unknown flag `{unknown}`"));
        }
        for (letter, set) in [
            ('e', &mut sets.effective),
            ('i', &mut sets.inheritable),
            ('p', &mut sets.permitted),
        ] {
            match (operator, flags.contains(letter)) {
                ('-', true) | ('=', false) => *set &= !mask,
                ('+' | '=', true) => *set |= mask,
                _ => {}
            }
        }
        actions = next;
    }
    Ok(())
}

fn mask_of(names: &str) -> Result<u64, String> {
    if names.is_empty() || names.eq_ignore_ascii_case("all") {
        return Ok((1 << NAMES.len()) - 1);
    }
    names.split(',').try_fold(0, |mask, name| {
        let plain = name.to_ascii_lowercase();
        let plain = plain.strip_prefix("cap_").unwrap_or(&plain);
        let number = NAMES.iter().position(|known| *known == plain);
        number
            .map(|number| mask | 1 << number)
            .ok_or_else(|| format!("`{name}` is no capability"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(encode(text).map(hex::encode), Ok(expected.to_owned()), "{text}");
    }

    #[test]
    fn texts_become_attributes() {
        check("cap_net_raw=ep", "0100000200200000000000000000000000000000");
        check("cap_net_raw+p", "0000000200200000000000000000000000000000");
        check(
            "cap_setuid,cap_setgid=ep",
            "01000002c0000000000000000000000000000000",
        );
        check(
            "cap_sys_time,CAP_BPF=ei cap_bpf+p",
            "0100000200000000000000028000000080000000",
        );
        check("=ep cap_chown-ep", "01000002feffffff00000000ff01000000000000");
        check("", "0000000200000000000000000000000000000000");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["cap_nothing=ep", "cap_chown", "cap_chown=x", "é=ep"] {
            assert!(encode(text).is_err(), "{text}");
        }
    }
}
