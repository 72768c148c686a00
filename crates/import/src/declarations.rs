//! What a package needs besides its files, as data: what maintainer scripts do elsewhere.
//!
//! The structs are plain: the catalog has the file schema, and whoever calls maps one to the other.

/// Everything that is declared of one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declarations {
    /// System users.
    pub users: Vec<User>,
    /// System groups.
    pub groups: Vec<Group>,
    /// Users that are in groups beside their own.
    pub members: Vec<Member>,
    /// Lines of tmpfiles.d(5).
    pub tmpfiles: Vec<String>,
    /// Units that a preset should enable.
    pub enable_units: Vec<String>,
    /// Units that a preset should disable.
    pub disable_units: Vec<String>,
    /// Names that several packages can stand for.
    pub alternatives: Vec<Alternative>,
    /// Capabilities of files.
    pub capabilities: Vec<FileCapabilities>,
    /// Symbolic links to put in.
    pub symlinks: Vec<Symlink>,
    /// Directories to put in.
    pub directories: Vec<Directory>,
    /// Files to put in, or to put in the place of the package's own.
    pub files: Vec<DeclaredFile>,
    /// Mode and owner of files that the package has.
    pub attributes: Vec<Attributes>,
    /// What is computed over the whole root when watched files change.
    pub finalisers: Vec<Finaliser>,
    /// Files to leave out: globs of absolute paths after the move to `/usr`.
    pub remove: Vec<String>,
}

/// A system user (sysusers.d(5)).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number; `None` takes that of [`crate::ImportSettings::user_ids`].
    pub uid: Option<u32>,
    /// Its group; `None` is a group of its own, of the same name and number.
    pub group: Option<String>,
    /// Its home; `/` where none is given.
    pub home: Option<String>,
    /// Its shell; `/usr/sbin/nologin` where none is given.
    pub shell: Option<String>,
    /// Its full name.
    pub comment: Option<String>,
}

/// A system group (sysusers.d(5)).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number; `None` takes that of [`crate::ImportSettings::group_ids`].
    pub gid: Option<u32>,
}

/// A user that is in a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The user.
    pub user: String,
    /// The group.
    pub group: String,
}

/// A name that several packages can stand for (update-alternatives(1)).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alternative {
    /// The link that everyone uses: `/usr/bin/editor`.
    pub link: String,
    /// The name of the choice: `editor`.
    pub name: String,
    /// What this package offers: `/usr/bin/vim.basic`.
    pub path: String,
    /// How much it is preferred.
    pub priority: i32,
    /// Links that go with the choice.
    pub followers: Vec<Follower>,
}

/// A link that goes with an alternative.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Follower {
    /// The link.
    pub link: String,
    /// Its name.
    pub name: String,
    /// What it points to.
    pub path: String,
}

/// Capabilities of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileCapabilities {
    /// The file.
    pub path: String,
    /// As cap_from_text(3) takes them: `cap_net_raw=ep`.
    pub value: String,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symlink {
    /// The link.
    pub path: String,
    /// What it points to.
    pub target: String,
}

/// A directory; root's where nothing is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Directory {
    /// The directory.
    pub path: String,
    /// Its mode; 0755 where none is given.
    pub mode: Option<u16>,
    /// Its owner.
    pub owner: Option<String>,
    /// Its group.
    pub group: Option<String>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeclaredFile {
    /// The file.
    pub path: String,
    /// Its mode; 0644 where none is given.
    pub mode: Option<u16>,
    /// Its owner; `root` where none is given.
    pub owner: Option<String>,
    /// Its group; `root` where none is given.
    pub group: Option<String>,
    /// What is in it.
    pub content: FileContent,
    /// Whether an administrator's changes are kept on upgrade; `None`: below `/etc`.
    pub config: Option<bool>,
}

/// What is in a declared file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileContent {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What is in another file of the same package.
    CopyOf(String),
}

/// Mode and owner of files that the package has; what is not given stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes {
    /// A path, or a glob of paths.
    pub path: String,
    /// The mode.
    pub mode: Option<u16>,
    /// The owner.
    pub owner: Option<String>,
    /// The group.
    pub group: Option<String>,
}

/// A command that runs once, in the sandbox, after a transaction in which a watched file changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finaliser {
    /// Its name; the same name in two packages is one finaliser.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Globs of absolute paths.
    pub watch: Vec<String>,
    /// The command and its arguments.
    pub run: Vec<String>,
    /// What it writes.
    pub outputs: Vec<String>,
    /// Its place in the order; lower goes first.
    pub order: u32,
}
