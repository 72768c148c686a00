//! Tables and indexes of rpm's sqlite database, as rpm 4.16 to 4.20 make them (`lib/backend/sqlite.c`).
//!
//! `Packages` holds the headers. Each other table is an index over one tag: `key` is a value of the tag, `hnum` the
//! package, `idx` the value's position in the header's array.

use lazuli_rpm::Tag;

/// How the rows of a table come from a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// One row for each string.
    Strings(Tag),
    /// The same, without what is needed during the installation only.
    Requires,
    /// The same, each name once.
    Triggers(Tag),
    /// The same, with the trigger's number (the second tag) as `idx`.
    FileTriggers(Tag, Tag),
    /// One row with the bytes.
    Bytes(Tag),
    /// One row with the number in the machine's byte order.
    Number(Tag),
}

/// Which columns have an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Indexes {
    /// None: keys that are bytes.
    None,
    /// `key`: tags with one value.
    Key,
    /// `key` and `hnum`: tags with many values.
    KeyAndNumber,
}

/// An index table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) keys: Keys,
    pub(super) indexes: Indexes,
}

const fn table(name: &'static str, keys: Keys, indexes: Indexes) -> Table {
    Table { name, keys, indexes }
}

/// In the order in which rpm makes them.
pub(super) const TABLES: &[Table] = &[
    table("Name", Keys::Strings(Tag::NAME), Indexes::Key),
    table("Basenames", Keys::Strings(Tag::BASENAMES), Indexes::KeyAndNumber),
    table("Group", Keys::Strings(Tag::GROUP), Indexes::Key),
    table("Requirename", Keys::Requires, Indexes::KeyAndNumber),
    table(
        "Providename",
        Keys::Strings(Tag::PROVIDENAME),
        Indexes::KeyAndNumber,
    ),
    table(
        "Conflictname",
        Keys::Strings(Tag::CONFLICTNAME),
        Indexes::KeyAndNumber,
    ),
    table(
        "Obsoletename",
        Keys::Strings(Tag::OBSOLETENAME),
        Indexes::KeyAndNumber,
    ),
    table(
        "Triggername",
        Keys::Triggers(Tag::TRIGGERNAME),
        Indexes::KeyAndNumber,
    ),
    table("Dirnames", Keys::Strings(Tag::DIRNAMES), Indexes::KeyAndNumber),
    table("Installtid", Keys::Number(Tag::INSTALLTID), Indexes::None),
    table("Sigmd5", Keys::Bytes(Tag::SIGMD5), Indexes::None),
    table("Sha1header", Keys::Strings(Tag::SHA1HEADER), Indexes::Key),
    table(
        "Filetriggername",
        Keys::FileTriggers(Tag::FILETRIGGERNAME, Tag::FILETRIGGERINDEX),
        Indexes::KeyAndNumber,
    ),
    table(
        "Transfiletriggername",
        Keys::FileTriggers(Tag::TRANSFILETRIGGERNAME, Tag::TRANSFILETRIGGERINDEX),
        Indexes::KeyAndNumber,
    ),
    table(
        "Recommendname",
        Keys::Strings(Tag::RECOMMENDNAME),
        Indexes::KeyAndNumber,
    ),
    table(
        "Suggestname",
        Keys::Strings(Tag::SUGGESTNAME),
        Indexes::KeyAndNumber,
    ),
    table(
        "Supplementname",
        Keys::Strings(Tag::SUPPLEMENTNAME),
        Indexes::KeyAndNumber,
    ),
    table(
        "Enhancename",
        Keys::Strings(Tag::ENHANCENAME),
        Indexes::KeyAndNumber,
    ),
];

/// The statement that makes the table of headers.
pub(super) const CREATE_PACKAGES: &str =
    "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)";

impl Table {
    /// The statement that makes it.
    pub(super) fn create(&self) -> String {
        let kind = if self.indexes == Indexes::None {
            "BLOB"
        } else {
            "TEXT"
        };
        format!(
            "CREATE TABLE IF NOT EXISTS '{}' (key '{kind}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, \
             FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))",
            self.name
        )
    }

    /// The statements that make its indexes.
    pub(super) fn create_indexes(&self) -> Vec<String> {
        let columns: &[&str] = match self.indexes {
            Indexes::None => &[],
            Indexes::Key => &["key"],
            Indexes::KeyAndNumber => &["key", "hnum"],
        };
        let name = self.name;
        let statement = |column: &&str| {
            format!("CREATE INDEX IF NOT EXISTS '{name}_{column}_idx' ON '{name}'({column} ASC)")
        };
        columns.iter().map(statement).collect()
    }
}
