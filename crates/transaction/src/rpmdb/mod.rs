//! rpm's database: sqlite, so that rpm and all that links it see what we installed, and we what they did.
//!
//! Changes are one sqlite transaction. The database is left in rollback mode, without `-wal` and `-shm` files beside it:
//! a root that is read-only can then be queried. (rpm switches to a write-ahead log by itself when it writes.) The same
//! packages added in the same order give the same bytes.

mod rows;
mod schema;

use crate::root::Attributes;
use crate::{Clock, Root, TransactionError};
use lazuli_rpm::{Header, Metadata, Tag};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql};
use rustix::fs::{FlockOperation, Mode, OFlags};
use sha2::{Digest, Sha256};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

/// Where the database is.
pub const DATABASE_FOLDER: &str = "/usr/lib/sysimage/rpm";

/// Where rpm had it before, and where a link leads to it.
const OLD_FOLDER: &str = "/var/lib/rpm";
const OLD_FOLDER_LINK: &str = "../../usr/lib/sysimage/rpm";

const FILE: &str = "rpmdb.sqlite";
const LOCK_FILE: &str = ".rpm.lock";

/// Most installed packages that are read.
const MAX_PACKAGES: usize = 1 << 20;

/// One installed package.
#[derive(Debug, Clone)]
pub struct InstalledPackage {
    /// Its number in the database.
    pub number: u32,
    /// Its header.
    pub header: Header,
    /// What the header says.
    pub metadata: Metadata,
    /// When it was installed, seconds since 1970.
    pub install_time: u32,
    /// For each file of the metadata whether it was really laid.
    pub present: Vec<bool>,
    /// SHA-256 of its header.
    pub digest: [u8; 32],
}

impl InstalledPackage {
    fn parse(number: u32, blob: &[u8]) -> Result<Self, TransactionError> {
        let fail = |source| TransactionError::InstalledHeader {
            package: format!("number {number}"),
            source,
        };
        let header = Header::from_blob(blob).map_err(fail)?;
        let metadata = Metadata::from_header(&header).map_err(fail)?;
        let states = header
            .entry(Tag::FILESTATES)
            .map(|entry| header.data(entry))
            .unwrap_or_default();
        // 0 is normal, 3 is on a shared file system (rpmfileState); what is not said is normal.
        let present = (0..metadata.files.len())
            .map(|at| matches!(states.get(at), None | Some(0 | 3)))
            .collect();
        let install_time = header.u32(Tag::INSTALLTIME).map_err(fail)?.unwrap_or_default();
        Ok(Self {
            number,
            install_time,
            present,
            digest: Sha256::digest(blob).into(),
            metadata,
            header,
        })
    }

    /// Whether this is one of rpm's keys rather than a package.
    pub fn is_key(&self) -> bool {
        self.metadata.nevra.name == "gpg-pubkey"
    }
}

/// Reads all installed packages, in the order of their numbers. None if there is no database.
pub fn read_installed(root: &Root) -> Result<Vec<InstalledPackage>, TransactionError> {
    let Some(place) = Place::find(root)? else {
        return Ok(Vec::new());
    };
    let fail = |source| TransactionError::Database {
        action: "reading",
        path: place.shown.clone(),
        source,
    };
    let connection =
        Connection::open_with_flags(place.file(), OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fail)?;
    let mut statement = connection
        .prepare("SELECT hnum, blob FROM Packages ORDER BY hnum")
        .map_err(fail)?;
    let mut found = statement.query([]).map_err(fail)?;
    let mut packages = Vec::new();
    while let Some(row) = found.next().map_err(fail)? {
        let number = row.get(0).map_err(fail)?;
        let blob = row
            .get_ref(1)
            .and_then(|value| Ok(value.as_blob()?))
            .map_err(fail)?;
        let package = InstalledPackage::parse(number, blob)?;
        if !package.is_key() {
            packages.push(package);
        }
        if packages.len() > MAX_PACKAGES {
            break;
        }
    }
    Ok(packages)
}

/// Asks sqlite whether the database is sound; the answer is a list of complaints.
pub fn check(root: &Root) -> Result<Vec<String>, TransactionError> {
    let Some(place) = Place::find(root)? else {
        return Ok(Vec::new());
    };
    let fail = |source| TransactionError::Database {
        action: "checking",
        path: place.shown.clone(),
        source,
    };
    let connection =
        Connection::open_with_flags(place.file(), OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fail)?;
    let mut statement = connection.prepare("PRAGMA integrity_check").map_err(fail)?;
    let answers = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(fail)?;
    let answers: Vec<String> = answers.collect::<Result<_, _>>().map_err(fail)?;
    Ok(answers.into_iter().filter(|answer| answer != "ok").collect())
}

/// The folder of the database, held open.
struct Place {
    folder: OwnedFd,
    shown: PathBuf,
}

impl Place {
    fn find(root: &Root) -> Result<Option<Self>, TransactionError> {
        for folder in [DATABASE_FOLDER, OLD_FOLDER] {
            let file = format!("{folder}/{FILE}");
            let found = root
                .stat(file.as_bytes())
                .map_err(|e| root.error("opening", file.as_bytes(), e))?;
            if found.is_some() {
                return Self::open(root, folder).map(Some);
            }
        }
        Ok(None)
    }

    fn open(root: &Root, folder: &str) -> Result<Self, TransactionError> {
        let descriptor = root
            .folder(folder.as_bytes())
            .map_err(|e| root.error("opening", folder.as_bytes(), e))?;
        Ok(Self {
            folder: descriptor,
            shown: root.shown(folder.as_bytes()).join(FILE),
        })
    }

    /// A path that leads to the file through the held folder, so that no link can lead elsewhere.
    fn file(&self) -> String {
        format!("/proc/self/fd/{}/{FILE}", self.folder.as_raw_fd())
    }
}

/// A package to add: its header as the database keeps it.
pub(crate) struct Addition {
    pub(crate) package: String,
    pub(crate) blob: Vec<u8>,
}

/// The database, opened for one change, with rpm's own lock held.
pub(crate) struct RpmDatabase {
    place: Place,
    connection: Connection,
    is_new: bool,
    _lock: OwnedFd,
}

impl RpmDatabase {
    /// Opens the database, and makes it if there is none.
    pub(crate) fn open(root: &Root, clock: Clock) -> Result<Self, TransactionError> {
        let place = match Place::find(root)? {
            Some(place) => place,
            None => {
                for made in root.ensure_folder(DATABASE_FOLDER.as_bytes())? {
                    root.set_time(&made, clock.seconds())?;
                }
                Place::open(root, DATABASE_FOLDER)?
            }
        };
        let lock = lock(&place)?;
        let fail = |source| TransactionError::Database {
            action: "opening",
            path: place.shown.clone(),
            source,
        };
        let connection = Connection::open(place.file()).map_err(fail)?;
        connection
            .busy_timeout(std::time::Duration::from_secs(10))
            .map_err(fail)?;
        let count = |sql: &str| {
            connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .map_err(fail)
        };
        let has_tables = count("SELECT count(*) FROM sqlite_schema WHERE name = 'Packages'")? > 0;
        let is_new = !has_tables || count("SELECT count(*) FROM Packages")? == 0;
        Ok(Self {
            place,
            connection,
            is_new,
            _lock: lock,
        })
    }

    /// Whether the installed packages are those a plan was made for: between then and the lock, another program may have
    /// changed them.
    pub(crate) fn is_as_planned(&self, root: &Root, planned: &[u32]) -> Result<bool, TransactionError> {
        if self.is_new {
            return Ok(planned.is_empty());
        }
        let now: Vec<u32> = read_installed(root)?
            .iter()
            .map(|package| package.number)
            .collect();
        Ok(now == planned)
    }

    /// Removes and adds packages, as one change.
    pub(crate) fn apply(&mut self, remove: &[u32], add: &[Addition]) -> Result<(), TransactionError> {
        let path = self.place.shown.clone();
        let fail = |source| TransactionError::Database {
            action: "writing",
            path: path.clone(),
            source,
        };
        // A new database is worth nothing unless the root is complete, and the root is synced as a whole.
        let pragmas = if self.is_new {
            "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;"
        } else {
            "PRAGMA synchronous=FULL;"
        };
        self.connection.execute_batch(pragmas).map_err(fail)?;
        let is_new = self.is_new;
        let transaction = self.connection.transaction().map_err(fail)?;
        let create = |statements: Vec<String>| {
            statements
                .iter()
                .try_for_each(|s| transaction.execute_batch(s))
                .map_err(fail)
        };
        create(std::iter::once(schema::CREATE_PACKAGES.to_owned()).collect())?;
        create(schema::TABLES.iter().map(schema::Table::create).collect())?;
        if !is_new {
            create(
                schema::TABLES
                    .iter()
                    .flat_map(schema::Table::create_indexes)
                    .collect(),
            )?;
        }
        for number in remove {
            for table in schema::TABLES {
                let sql = format!("DELETE FROM '{}' WHERE hnum = ?1", table.name);
                transaction
                    .prepare_cached(&sql)
                    .and_then(|mut s| s.execute([number]))
                    .map_err(fail)?;
            }
            transaction
                .execute("DELETE FROM Packages WHERE hnum = ?1", [number])
                .map_err(fail)?;
        }
        for addition in add {
            insert(&transaction, addition, &path)?;
        }
        if is_new {
            // Made last, an index over many rows is smaller and quicker.
            create(
                schema::TABLES
                    .iter()
                    .flat_map(schema::Table::create_indexes)
                    .collect(),
            )?;
        }
        transaction.commit().map_err(fail)
    }

    /// Closes the database so that it is one file that can be read without writing.
    pub(crate) fn close(self, root: &Root, clock: Clock) -> Result<(), TransactionError> {
        let path = self.place.shown.clone();
        let fail = |source| TransactionError::Database {
            action: "closing",
            path: path.clone(),
            source,
        };
        // A reader elsewhere keeps a write-ahead log in use; then the mode stays as it is, which is no harm.
        match self.connection.pragma_update(None, "journal_mode", "DELETE") {
            Err(e) if e.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) => {
                return Err(fail(e));
            }
            _ => {}
        }
        self.connection.close().map_err(|(_, e)| fail(e))?;
        let in_place = root
            .stat(OLD_FOLDER.as_bytes())
            .map_err(|e| root.error("reading", OLD_FOLDER.as_bytes(), e))?;
        if in_place.is_none() {
            for made in root.ensure_folder(b"/var/lib")? {
                root.set_time(&made, clock.seconds())?;
            }
            root.link(OLD_FOLDER.as_bytes(), OLD_FOLDER_LINK.as_bytes(), clock.seconds())?;
        }
        for name in [FILE, LOCK_FILE] {
            let like = Attributes::plain(clock.seconds());
            crate::root::set_time(&self.place.folder, name.as_ref(), like.mtime)
                .map_err(|e| TransactionError::io("setting the time of", &path, e))?;
        }
        Ok(())
    }
}

/// Takes rpm's lock: a record lock over the whole file, which rpm takes with fcntl.
fn lock(place: &Place) -> Result<OwnedFd, TransactionError> {
    let path = place.shown.with_file_name(LOCK_FILE);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(&place.folder, LOCK_FILE, flags, Mode::from_raw_mode(0o644))
        .map_err(|e| TransactionError::io("opening", &path, e))?;
    match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Err(TransactionError::Locked { path }),
        Err(e) => Err(TransactionError::io("locking", &path, e)),
    }
}

fn insert(
    transaction: &rusqlite::Transaction<'_>,
    addition: &Addition,
    path: &std::path::Path,
) -> Result<(), TransactionError> {
    let fail = |source| TransactionError::Database {
        action: "writing",
        path: path.to_owned(),
        source,
    };
    let bad = |source| TransactionError::InstalledHeader {
        package: addition.package.clone(),
        source,
    };
    let header = Header::from_blob(&addition.blob).map_err(bad)?;
    transaction
        .prepare_cached("INSERT INTO Packages (blob) VALUES (?1)")
        .and_then(|mut statement| statement.execute([addition.blob.as_slice()]))
        .map_err(fail)?;
    let number = transaction.last_insert_rowid();
    for table in schema::TABLES {
        let rows = rows::rows(&header, table.keys).map_err(bad)?;
        if rows.is_empty() {
            continue;
        }
        let sql = format!("INSERT INTO '{}' VALUES (?1, ?2, ?3)", table.name);
        let mut statement = transaction.prepare_cached(&sql).map_err(fail)?;
        for (key, index) in rows {
            statement.execute((&key, number, index)).map_err(fail)?;
        }
    }
    Ok(())
}

impl ToSql for rows::Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            // Names of files need not be UTF-8; sqlite keeps bytes as they are.
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
