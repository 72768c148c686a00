//! **Lazuli's own:** `declare`, what install scripts do elsewhere, as data.

use super::{Local, entry, record};
use crate::value::{AbsolutePath, AccountName, Capabilities, FileMode, Line, PathGlob, UnitName};

record! {
    /// What a package needs besides its files. All of it ends in plain files of the package: sysusers.d, tmpfiles.d,
    /// presets, `/usr/lib/lazuli`; none of it is a script.
    Declare {
        /// System users.
        users: Vec<DeclaredUser>,
        /// System groups.
        groups: Vec<DeclaredGroup>,
        /// Users that are in groups beside their own.
        members: Vec<DeclaredMember>,
        /// Lines of tmpfiles.d(5): `d /run/sshd 0755 root root -`.
        tmpfiles: Vec<Line>,
        /// Units that a preset enables.
        enable_units: Vec<UnitName>,
        /// Units that a preset disables.
        disable_units: Vec<UnitName>,
        /// Names that several packages can stand for.
        alternatives: Vec<Alternative>,
        /// Capabilities of files.
        capabilities: Vec<DeclaredCapabilities>,
        /// Symbolic links to put in.
        symlinks: Vec<Symlink>,
        /// Directories to put in.
        directories: Vec<DeclaredDirectory>,
        /// Files to put in, or to put in the place of the package's own.
        files: Vec<DeclaredFile>,
        /// Mode and owner of files that the package has.
        attributes: Vec<Attributes>,
        /// What is computed over the whole root when watched files change.
        finalisers: Vec<Finaliser>,
    }
}

entry! {
    /// A system user, sysusers.d(5).
    DeclaredUser {
        /// Its name.
        name: AccountName,
        /// Its number. Default: that of `[distros.X.ids.users]`, which must then have it.
        uid: Option<u32>,
        /// Its group. Default: a group of its own, of the same name and number.
        group: Option<AccountName>,
        /// Its home. Default: `/`.
        home: Option<AbsolutePath>,
        /// Its shell. Default: `/usr/sbin/nologin`.
        shell: Option<AbsolutePath>,
        /// Its full name.
        comment: Option<Line>,
    }
}

entry! {
    /// A system group, sysusers.d(5).
    DeclaredGroup {
        /// Its name.
        name: AccountName,
        /// Its number. Default: that of `[distros.X.ids.groups]`, which must then have it.
        gid: Option<u32>,
    }
}

entry! {
    /// A user that is in a group.
    DeclaredMember {
        /// The user.
        user: AccountName,
        /// The group.
        group: AccountName,
    }
}

entry! {
    /// A name that several packages can stand for, as update-alternatives(1) has it: the highest priority wins.
    Alternative {
        /// The link that everyone uses: `/usr/bin/editor`.
        link: AbsolutePath,
        /// The name of the choice: `editor`.
        name: Line,
        /// What this package offers: `/usr/bin/vim.basic`.
        path: AbsolutePath,
        /// How much it is preferred.
        priority: i32,
        /// Links that go with the choice, such as manual pages.
        #[serde(default)]
        followers: Vec<Follower>,
    }
}

entry! {
    /// A link that goes with an alternative.
    Follower {
        /// The link.
        link: AbsolutePath,
        /// Its name.
        name: Line,
        /// What it points to.
        path: AbsolutePath,
    }
}

entry! {
    /// Capabilities of a file that the package has.
    DeclaredCapabilities {
        /// The file.
        path: AbsolutePath,
        /// The capabilities, as cap_from_text(3) takes them: `cap_net_raw=ep`.
        value: Capabilities,
    }
}

entry! {
    /// A symbolic link.
    Symlink {
        /// The link.
        path: AbsolutePath,
        /// What it points to: absolute, or relative to the link's folder.
        target: Line,
    }
}

entry! {
    /// A directory.
    DeclaredDirectory {
        /// The directory.
        path: AbsolutePath,
        /// Its mode, in octal. Default: `0755`.
        mode: Option<FileMode>,
        /// Its owner. Default: `root`.
        owner: Option<AccountName>,
        /// Its group. Default: `root`.
        group: Option<AccountName>,
    }
}

entry! {
    /// A file: one of `content` and `source`.
    DeclaredFile {
        /// The file.
        path: AbsolutePath,
        /// Its mode, in octal. Default: `0644`.
        mode: Option<FileMode>,
        /// Its owner. Default: `root`.
        owner: Option<AccountName>,
        /// Its group. Default: `root`.
        group: Option<AccountName>,
        /// What is in it.
        content: Option<String>,
        /// A file with what is in it: a path relative to this file.
        source: Option<Local<String>>,
        /// An administrator's changes to it are kept on upgrade (`%config(noreplace)`).
        /// Default: true below `/etc`, false elsewhere.
        config: Option<bool>,
    }
}

entry! {
    /// Mode and owner of files that the package has; what is not named stays.
    Attributes {
        /// The file or directory, or a glob of them.
        path: PathGlob,
        /// The mode, in octal.
        mode: Option<FileMode>,
        /// The owner.
        owner: Option<AccountName>,
        /// The group.
        group: Option<AccountName>,
    }
}

entry! {
    /// A command that is run once, in the sandbox, after a transaction in which a watched file changed: ld.so.cache, the
    /// CA bundle, caches of fonts or schemas.
    Finaliser {
        /// Its name; the same name in two packages is one finaliser.
        name: Line,
        /// What it does: "updating the certificate bundle".
        description: Line,
        /// Globs of absolute paths that it depends on.
        watch: Vec<PathGlob>,
        /// The command and its arguments. The command is an absolute path in the root.
        run: Vec<String>,
        /// What it writes: globs of absolute paths.
        #[serde(default)]
        outputs: Vec<PathGlob>,
        /// Its place in the order; lower goes first. Default: 50.
        order: Option<u32>,
    }
}
