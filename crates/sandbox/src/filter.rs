//! The filter of system calls for builds, as a program for the kernel's classic BPF machine (seccomp(2)).
//!
//! It is written by hand rather than by the crate `seccompiler`: that one compares the architecture and not the bit that
//! marks calls of the x32 ABI, which would pass every list of refusals; and a list with a dozen conditions on arguments
//! is no shorter in its types than in the instructions themselves.
//!
//! It is a list of refusals, not of permissions: what is built is anybody's program with anybody's tests, and a list of
//! permissions would break the ones that nobody thought of. But a call whose number is above the newest that was looked
//! at here ([`NEWEST_CALL`]) does not exist, so that a new kernel brings nothing in. Numbers that are always permitted
//! cost nothing: the kernel finds them out once and keeps them in a bitmap.
//!
//! The errors: `EPERM` for what an unprivileged process may not do anyway, `ENOSYS` for what kernels may lack, so that
//! programs take their other way; what a socket gets is `EAFNOSUPPORT` or `EPROTONOSUPPORT`.

use libc::sock_filter;

/// The newest call that was looked at: `file_setattr` of Linux 6.17. From 424 on, all architectures have one numbering.
const NEWEST_CALL: u32 = 469;

// Calls that the C library's bindings do not name yet.
const STATMOUNT: i64 = 457;
const LISTMOUNT: i64 = 458;
const LSM_GET_SELF_ATTR: i64 = 459;
const LSM_SET_SELF_ATTR: i64 = 460;
const LSM_LIST_MODULES: i64 = 461;
const OPEN_TREE_ATTR: i64 = 467;

/// Calls of the x32 ABI have this bit in their number (unistd_x32.h).
#[cfg(target_arch = "x86_64")]
const X32_BIT: u32 = 0x4000_0000;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64

/// Refused, since they are the business of whoever runs the machine, or reach into other processes.
const NOT_PERMITTED: &[i64] = &[
    // Mounts: the tree that is seen is fixed.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    // Namespaces of others.
    libc::SYS_setns,
    // Memory and files of others.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Files by their number, past every folder's permissions.
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    // The machine's clock, name, log, accounts, swap, code and power.
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// Not there: large parts of the kernel that builds do not need, and whose flaws let programs out of sandboxes.
const NOT_THERE: &[i64] = &[
    // Its flags lie in memory, where no filter sees them. The C library then takes clone.
    libc::SYS_clone3,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Memory that belongs to no file system and need not be mapped: no limit would see it. Programs take /dev/shm.
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    STATMOUNT,
    LISTMOUNT,
    LSM_GET_SELF_ATTR,
    LSM_SET_SELF_ATTR,
    LSM_LIST_MODULES,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
];

/// The flags of clone and unshare that make namespaces. (`CLONE_NEWTIME` is unshare's only: for clone its bit is part of
/// the signal's number.)
const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP)
    .cast_unsigned();
const NEW_TIME: u32 = 0x80;

/// Personalities that only change what a process is told of itself: none, 32-bit `uname`, the version 2.6, addresses
/// that are not random, and the question.
const PERSONALITIES: &[u32] = &[0, 0x8, 0x2_0000, 0x2_0008, 0x4_0000, u32::MAX];

/// What an internet socket may speak: the family's own choice, ICMP echo, TCP, UDP, ICMPv6 echo. Others load modules.
const PROTOCOLS: &[u32] = &[0, 1, 6, 17, 58];

/// Requests to a terminal: typing on its behalf, the console's menu, another line discipline (which loads a module).
const TERMINAL_REQUESTS: &[u32] = &[0x5412, 0x541C, 0x5423];

// Where the kernel puts what the program looks at (struct seccomp_data), little-endian.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

// Instructions: loads, jumps and answers (filter.h, bpf_common.h).
const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GREATER: u16 = 0x25; // BPF_JMP | BPF_JGT | BPF_K
const JUMP_SET: u16 = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

const ALLOW: u32 = 0x7fff_0000; // SECCOMP_RET_ALLOW
const KILL: u32 = 0x8000_0000; // SECCOMP_RET_KILL_PROCESS
const fn refuse(errno: i32) -> u32 {
    0x0005_0000 | errno.cast_unsigned() // SECCOMP_RET_ERRNO
}

const fn step(code: u16, k: u32) -> sock_filter {
    sock_filter {
        code,
        jt: 0,
        jf: 0,
        k,
    }
}

/// A jump over `jt` instructions where the comparison holds, over `jf` where not.
const fn jump(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// A program as it grows.
#[derive(Default)]
struct Assembler(Vec<sock_filter>);

impl Assembler {
    /// If the comparison holds, that is the answer.
    fn answer_if(&mut self, comparison: u16, value: u32, answer: u32) {
        self.0.push(jump(comparison, value, 0, 1));
        self.0.push(step(RETURN, answer));
    }

    fn load(&mut self, offset: u32) {
        self.0.push(step(LOAD, offset));
    }

    fn answer(&mut self, answer: u32) {
        self.0.push(step(RETURN, answer));
    }

    /// Instructions for one call only. They must end with an answer: they overwrite the number of the call.
    fn for_call(&mut self, number: i64, rules: impl FnOnce(&mut Self)) {
        let mut block = Self::default();
        rules(&mut block);
        // A block is far shorter than 256 instructions; the test that runs each rule would show it.
        let length = u8::try_from(block.0.len()).unwrap_or(u8::MAX);
        self.0.push(jump(JUMP_EQUAL, call(number), 0, length));
        self.0.append(&mut block.0);
    }
}

fn call(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The program.
pub(crate) fn build_filter() -> Vec<sock_filter> {
    let mut program = Assembler::default();
    // 32-bit programs and `int 0x80`: other numbers, other arguments. Told by the signal SIGSYS.
    program.load(ARCH);
    program.0.push(jump(JUMP_EQUAL, ARCHITECTURE, 1, 0));
    program.answer(KILL);
    program.load(NUMBER);
    // Calls of x32 have numbers past this one, too.
    #[cfg(target_arch = "x86_64")]
    const {
        assert!(X32_BIT > NEWEST_CALL)
    };
    program.answer_if(JUMP_GREATER, NEWEST_CALL, refuse(libc::ENOSYS));
    for (calls, errno) in [(NOT_PERMITTED, libc::EPERM), (NOT_THERE, libc::ENOSYS)] {
        for number in calls {
            program.answer_if(JUMP_EQUAL, call(*number), refuse(errno));
        }
    }
    processes(&mut program);
    sockets(&mut program);
    files(&mut program);
    program.answer(ALLOW);
    program.0
}

fn processes(program: &mut Assembler) {
    for (number, flags) in [
        (libc::SYS_clone, NAMESPACES),
        (libc::SYS_unshare, NAMESPACES | NEW_TIME),
    ] {
        program.for_call(number, |p| {
            p.load(argument(0));
            p.answer_if(JUMP_SET, flags, refuse(libc::EPERM));
            p.answer(ALLOW);
        });
    }
    program.for_call(libc::SYS_personality, |p| {
        p.load(argument(0));
        for personality in PERSONALITIES {
            p.answer_if(JUMP_EQUAL, *personality, ALLOW);
        }
        p.answer(refuse(libc::EPERM));
    });
}

fn sockets(program: &mut Assembler) {
    const TYPE_MASK: u32 = 0xf;
    let family = |number: i32| number.cast_unsigned();
    program.for_call(libc::SYS_socket, |p| {
        p.load(argument(0));
        p.answer_if(JUMP_EQUAL, family(libc::AF_UNIX), ALLOW);
        // The C library asks the kernel for interfaces and addresses in this way.
        let mut netlink = Assembler::default();
        netlink.load(argument(2));
        netlink.answer_if(JUMP_EQUAL, libc::NETLINK_ROUTE.cast_unsigned(), ALLOW);
        netlink.answer(refuse(libc::EPROTONOSUPPORT));
        p.0.push(jump(JUMP_EQUAL, family(libc::AF_NETLINK), 0, 4));
        p.0.append(&mut netlink.0);
        p.0.push(jump(JUMP_EQUAL, family(libc::AF_INET), 2, 0));
        p.0.push(jump(JUMP_EQUAL, family(libc::AF_INET6), 1, 0));
        p.answer(refuse(libc::EAFNOSUPPORT));
        p.load(argument(1));
        p.0.push(step(AND, TYPE_MASK));
        p.0.push(jump(JUMP_EQUAL, libc::SOCK_STREAM.cast_unsigned(), 2, 0));
        p.0.push(jump(JUMP_EQUAL, libc::SOCK_DGRAM.cast_unsigned(), 1, 0));
        p.answer(refuse(libc::EPERM));
        p.load(argument(2));
        for protocol in PROTOCOLS {
            p.answer_if(JUMP_EQUAL, *protocol, ALLOW);
        }
        p.answer(refuse(libc::EPROTONOSUPPORT));
    });
    program.for_call(libc::SYS_socketpair, |p| {
        p.load(argument(0));
        p.answer_if(JUMP_EQUAL, family(libc::AF_UNIX), ALLOW);
        p.answer(refuse(libc::EAFNOSUPPORT));
    });
}

fn files(program: &mut Assembler) {
    let devices = |program: &mut Assembler, number: i64, mode: u32| {
        program.for_call(number, |p| {
            p.load(argument(mode));
            p.0.push(step(AND, libc::S_IFMT));
            p.answer_if(JUMP_EQUAL, libc::S_IFCHR, refuse(libc::EPERM));
            p.answer_if(JUMP_EQUAL, libc::S_IFBLK, refuse(libc::EPERM));
            p.answer(ALLOW);
        });
    };
    #[cfg(target_arch = "x86_64")]
    devices(program, libc::SYS_mknod, 1);
    devices(program, libc::SYS_mknodat, 2);
    program.for_call(libc::SYS_ioctl, |p| {
        p.load(argument(1));
        for request in TERMINAL_REQUESTS {
            p.answer_if(JUMP_EQUAL, *request, refuse(libc::EPERM));
        }
        p.answer(ALLOW);
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What the kernel would answer: the machine of filter.txt, as far as it is used.
    fn run(program: &[sock_filter], number: i64, arch: u32, arguments: [u64; 3]) -> u32 {
        let mut data = [0u8; 64];
        data[0..4].copy_from_slice(&call(number).to_le_bytes());
        data[4..8].copy_from_slice(&arch.to_le_bytes());
        for (index, value) in arguments.iter().enumerate() {
            data[16 + 8 * index..][..8].copy_from_slice(&value.to_le_bytes());
        }
        let (mut at, mut a) = (0usize, 0u32);
        loop {
            let i = program[at];
            at += 1;
            let taken = match i.code {
                LOAD => {
                    let k = i.k as usize;
                    a = u32::from_le_bytes(data[k..k + 4].try_into().unwrap());
                    continue;
                }
                AND => {
                    a &= i.k;
                    continue;
                }
                RETURN => return i.k,
                JUMP_EQUAL => a == i.k,
                JUMP_GREATER => a > i.k,
                JUMP_SET => a & i.k != 0,
                code => panic!("instruction {code:#x}"),
            };
            at += usize::from(if taken { i.jt } else { i.jf });
        }
    }

    fn check(number: i64, arguments: [u64; 3], expected: u32) {
        let answer = run(&build_filter(), number, ARCHITECTURE, arguments);
        assert_eq!(answer, expected, "call {number} with {arguments:x?}: {answer:#x}");
    }

    #[test]
    fn every_list_is_refused() {
        for number in NOT_PERMITTED {
            check(*number, [0; 3], refuse(libc::EPERM));
        }
        for number in NOT_THERE {
            check(*number, [0; 3], refuse(libc::ENOSYS));
        }
        check(i64::from(NEWEST_CALL) + 1, [0; 3], refuse(libc::ENOSYS));
        check(libc::SYS_read, [0; 3], ALLOW);
        check(libc::SYS_execve, [0; 3], ALLOW);
    }

    #[test]
    fn other_numberings_are_refused() {
        const I386: u32 = 0x4000_0003;
        assert_eq!(run(&build_filter(), libc::SYS_read, I386, [0; 3]), KILL);
        check(libc::SYS_read | 0x4000_0000, [0; 3], refuse(libc::ENOSYS));
    }

    #[test]
    fn arguments_decide() {
        let eperm = refuse(libc::EPERM);
        check(libc::SYS_clone, [0x0120_0011, 0, 0], ALLOW);
        check(libc::SYS_clone, [0x1000_0011, 0, 0], eperm);
        check(libc::SYS_unshare, [0x80, 0, 0], eperm);
        check(libc::SYS_unshare, [0x200, 0, 0], ALLOW);
        check(libc::SYS_personality, [0xffff_ffff, 0, 0], ALLOW);
        check(libc::SYS_personality, [0x40_0000, 0, 0], eperm);
        check(libc::SYS_mknodat, [0, 0, 0o100_644], ALLOW);
        check(libc::SYS_mknodat, [0, 0, 0o020_644], eperm);
        check(libc::SYS_mknodat, [0, 0, 0o010_644], ALLOW);
        check(libc::SYS_ioctl, [0, 0x5412, 0], eperm);
        check(libc::SYS_ioctl, [0, 0x1_0000_5412, 0], eperm);
        check(libc::SYS_ioctl, [0, 0x5401, 0], ALLOW);
    }

    #[test]
    fn sockets_are_local_or_of_the_internet() {
        let family = refuse(libc::EAFNOSUPPORT);
        let protocol = refuse(libc::EPROTONOSUPPORT);
        for (arguments, answer) in [
            ([1, 5, 0], ALLOW),
            ([2, 1, 0], ALLOW),
            ([2, 0x80801, 6], ALLOW),
            ([10, 2, 17], ALLOW),
            ([2, 1, 132], protocol),
            ([2, 3, 1], refuse(libc::EPERM)),
            ([16, 3, 0], ALLOW),
            ([16, 3, 12], protocol),
            ([17, 3, 0], family),
            ([38, 5, 0], family),
            ([40, 1, 0], family),
        ] {
            check(libc::SYS_socket, arguments, answer);
        }
        check(libc::SYS_socketpair, [1, 1, 0], ALLOW);
        check(libc::SYS_socketpair, [16, 3, 0], family);
    }
}
