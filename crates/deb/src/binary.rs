//! What a paragraph of a package index, or the control file of a `.deb`, says of a binary package.

use crate::control::{ControlError, Paragraph};
use crate::names::{Architecture, NameError, PackageName, Sha256Digest};
use crate::relation::{Alternatives, RelationError, parse_relations};
use crate::version::{Version, VersionError};

/// How far a package matters to a system (Policy § 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// The system does not work without it.
    Required,
    /// Expected on any Unix-like system.
    Important,
    /// A reasonably small character-mode system.
    Standard,
    /// Everything else.
    Optional,
    /// Obsolete synonym of optional, and any word that Policy does not know.
    Other,
}

/// How a package goes along with its like of other architectures (Multi-Arch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MultiArch {
    /// Not at all.
    #[default]
    No,
    /// May be installed for several architectures at once.
    Same,
    /// Answers the dependencies of packages of any architecture.
    Foreign,
    /// Answers those that are written `name:any`.
    Allowed,
}

/// Which relation field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// `Depends`
    Depends,
    /// `Pre-Depends`
    PreDepends,
    /// `Recommends`
    Recommends,
    /// `Suggests`
    Suggests,
    /// `Enhances`
    Enhances,
    /// `Conflicts`
    Conflicts,
    /// `Breaks`
    Breaks,
    /// `Replaces`
    Replaces,
    /// `Provides`
    Provides,
}

impl RelationKind {
    /// All relation fields, in the order in which Debian writes them.
    pub const ALL: [Self; 9] = [
        Self::PreDepends,
        Self::Depends,
        Self::Recommends,
        Self::Suggests,
        Self::Enhances,
        Self::Breaks,
        Self::Conflicts,
        Self::Replaces,
        Self::Provides,
    ];

    /// The name of the field.
    pub fn field(self) -> &'static str {
        match self {
            Self::Depends => "Depends",
            Self::PreDepends => "Pre-Depends",
            Self::Recommends => "Recommends",
            Self::Suggests => "Suggests",
            Self::Enhances => "Enhances",
            Self::Conflicts => "Conflicts",
            Self::Breaks => "Breaks",
            Self::Replaces => "Replaces",
            Self::Provides => "Provides",
        }
    }
}

/// A binary package as its control paragraph describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// `Package`
    pub name: PackageName,
    /// `Version`
    pub version: Version,
    /// `Architecture`
    pub architecture: Architecture,
    /// The name in `Source`, or else the package's own.
    pub source_name: PackageName,
    /// The version in `Source`, or else the package's own.
    pub source_version: Version,
    /// `Maintainer`; empty where there is none.
    pub maintainer: String,
    /// `Depends`: all of the outer list, one of each inner list.
    pub depends: Vec<Alternatives>,
    /// `Pre-Depends`
    pub pre_depends: Vec<Alternatives>,
    /// `Recommends`
    pub recommends: Vec<Alternatives>,
    /// `Suggests`
    pub suggests: Vec<Alternatives>,
    /// `Enhances`
    pub enhances: Vec<Alternatives>,
    /// `Conflicts`
    pub conflicts: Vec<Alternatives>,
    /// `Breaks`
    pub breaks: Vec<Alternatives>,
    /// `Replaces`
    pub replaces: Vec<Alternatives>,
    /// `Provides`; a constraint is always `=`, and is the version provided.
    pub provides: Vec<Alternatives>,
    /// `Section`
    pub section: Option<String>,
    /// `Priority`
    pub priority: Option<Priority>,
    /// `Essential: yes`
    pub essential: bool,
    /// `Protected: yes` (or its old name `Important: yes`)
    pub protected: bool,
    /// `Multi-Arch`
    pub multi_arch: MultiArch,
    /// The first line of `Description`.
    pub synopsis: String,
    /// The rest of `Description`, unfolded; empty where there is none.
    pub description: String,
    /// `Homepage`
    pub homepage: Option<String>,
    /// `Installed-Size`, in KiB.
    pub installed_size: Option<u64>,
    /// `Filename`, relative to the archive's root: in indices only.
    pub filename: Option<String>,
    /// `Size` of the `.deb` in bytes: in indices only.
    pub size: Option<u64>,
    /// `SHA256` of the `.deb`: in indices only.
    pub sha256: Option<Sha256Digest>,
}

/// Why a paragraph describes no binary package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BinaryError {
    /// A field is missing.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A name, architecture or digest is malformed.
    #[error("package `{package}`, field `{field}`: {source}")]
    Name {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        source: NameError,
    },
    /// A version is malformed.
    #[error("package `{package}`, field `{field}`: {source}")]
    Version {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        source: VersionError,
    },
    /// A relation is malformed.
    #[error("package `{package}`, field `{field}`: {source}")]
    Relation {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
        /// What is wrong.
        source: RelationError,
    },
    /// Another value is none of those that are allowed.
    #[error("package `{package}`: the field `{field}` has the value `{value}`, which is not allowed")]
    Value {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
}

impl Binary {
    /// Takes what a paragraph says. Fields that are not named here are ignored.
    pub fn from_paragraph(paragraph: &Paragraph<'_>) -> Result<Self, BinaryError> {
        let reader = Reader {
            paragraph,
            package: paragraph.required("Package")?,
        };
        let name: PackageName = reader.name("Package", reader.package)?;
        let version = reader.version("Version", paragraph.required("Version")?)?;
        let architecture = reader.name("Architecture", paragraph.required("Architecture")?)?;
        let (source_name, source_version) = reader.source(&name, &version)?;
        let whole = paragraph.text("Description").unwrap_or_default();
        let (synopsis, description) = whole.split_once('\n').unwrap_or((&whole, ""));
        Ok(Self {
            source_name,
            source_version,
            maintainer: paragraph.get("Maintainer").unwrap_or("").to_owned(),
            depends: reader.relations(RelationKind::Depends)?,
            pre_depends: reader.relations(RelationKind::PreDepends)?,
            recommends: reader.relations(RelationKind::Recommends)?,
            suggests: reader.relations(RelationKind::Suggests)?,
            enhances: reader.relations(RelationKind::Enhances)?,
            conflicts: reader.relations(RelationKind::Conflicts)?,
            breaks: reader.relations(RelationKind::Breaks)?,
            replaces: reader.relations(RelationKind::Replaces)?,
            provides: reader.relations(RelationKind::Provides)?,
            section: paragraph.get("Section").map(str::to_owned),
            priority: paragraph.get("Priority").map(parse_priority),
            essential: reader.yes("Essential")?,
            protected: reader.yes("Protected")? || reader.yes("Important")?,
            multi_arch: reader.multi_arch()?,
            synopsis: synopsis.to_owned(),
            description: description.to_owned(),
            homepage: paragraph.get("Homepage").map(str::to_owned),
            installed_size: reader.number("Installed-Size")?,
            filename: paragraph.get("Filename").map(str::to_owned),
            size: reader.number("Size")?,
            sha256: paragraph
                .get("SHA256")
                .map(|digest| reader.name("SHA256", digest))
                .transpose()?,
            name,
            version,
            architecture,
        })
    }

    /// One of the relation fields.
    pub fn relations(&self, kind: RelationKind) -> &[Alternatives] {
        match kind {
            RelationKind::Depends => &self.depends,
            RelationKind::PreDepends => &self.pre_depends,
            RelationKind::Recommends => &self.recommends,
            RelationKind::Suggests => &self.suggests,
            RelationKind::Enhances => &self.enhances,
            RelationKind::Conflicts => &self.conflicts,
            RelationKind::Breaks => &self.breaks,
            RelationKind::Replaces => &self.replaces,
            RelationKind::Provides => &self.provides,
        }
    }
}

/// Reads the fields of one paragraph, and names package and field in every error.
struct Reader<'p, 'a> {
    paragraph: &'p Paragraph<'a>,
    package: &'a str,
}

impl Reader<'_, '_> {
    fn name<T: std::str::FromStr<Err = NameError>>(
        &self,
        field: &'static str,
        text: &str,
    ) -> Result<T, BinaryError> {
        text.parse().map_err(|source| BinaryError::Name {
            package: self.package(),
            field,
            source,
        })
    }

    fn version(&self, field: &'static str, text: &str) -> Result<Version, BinaryError> {
        Version::parse(text).map_err(|source| BinaryError::Version {
            package: self.package(),
            field,
            source,
        })
    }

    /// `Source: name (version)`, both of which default to the package's own.
    fn source(&self, name: &PackageName, version: &Version) -> Result<(PackageName, Version), BinaryError> {
        let Some(value) = self.paragraph.get("Source") else {
            return Ok((name.clone(), version.clone()));
        };
        match value.split_once('(') {
            None => Ok((self.name("Source", value)?, version.clone())),
            Some((name, rest)) => {
                let inside = rest
                    .strip_suffix(')')
                    .ok_or_else(|| self.bad_value("Source", value))?;
                Ok((
                    self.name("Source", name.trim_end())?,
                    self.version("Source", inside.trim())?,
                ))
            }
        }
    }

    fn relations(&self, kind: RelationKind) -> Result<Vec<Alternatives>, BinaryError> {
        let Some(value) = self.paragraph.get(kind.field()) else {
            return Ok(Vec::new());
        };
        parse_relations(value).map_err(|source| BinaryError::Relation {
            package: self.package(),
            field: kind.field(),
            source,
        })
    }

    fn yes(&self, field: &'static str) -> Result<bool, BinaryError> {
        match self.paragraph.get(field) {
            None | Some("no") => Ok(false),
            Some("yes") => Ok(true),
            Some(other) => Err(self.bad_value(field, other)),
        }
    }

    fn multi_arch(&self) -> Result<MultiArch, BinaryError> {
        match self.paragraph.get("Multi-Arch") {
            None | Some("no") => Ok(MultiArch::No),
            Some("same") => Ok(MultiArch::Same),
            Some("foreign") => Ok(MultiArch::Foreign),
            Some("allowed") => Ok(MultiArch::Allowed),
            Some(other) => Err(self.bad_value("Multi-Arch", other)),
        }
    }

    fn number(&self, field: &'static str) -> Result<Option<u64>, BinaryError> {
        self.paragraph
            .get(field)
            .map(|text| text.parse().map_err(|_| self.bad_value(field, text)))
            .transpose()
    }

    fn bad_value(&self, field: &'static str, value: &str) -> BinaryError {
        BinaryError::Value {
            package: self.package(),
            field,
            value: value.chars().take(80).collect(),
        }
    }

    fn package(&self) -> String {
        self.package.chars().take(80).collect()
    }
}

fn parse_priority(text: &str) -> Priority {
    match text {
        "required" => Priority::Required,
        "important" => Priority::Important,
        "standard" => Priority::Standard,
        "optional" => Priority::Optional,
        _ => Priority::Other,
    }
}
