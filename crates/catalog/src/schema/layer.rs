//! How configurations are laid over each other, and how paths in them keep the folder that they are relative to.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut, Range};
use std::path::{Component as PathPart, Path, PathBuf};
use std::sync::Arc;

/// What happens to a list that two layers have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListRule {
    /// The later layer's entries come after the earlier one's: inheritance of components, packages and images.
    Append,
    /// The later layer's list, unless it is empty, stands alone: one object that is defined in several files.
    Replace,
}

/// A part of a configuration that can be laid over an earlier one.
pub trait Layer {
    /// Lays `later` over `self`: set values win, tables merge key by key, lists follow `rule`.
    fn absorb(&mut self, later: Self, rule: ListRule);

    /// Remembers the file that this was written in, for relative paths and for [`Placed`] entries.
    fn locate(&mut self, file: &SourceText) {
        let _ = file;
    }
}

impl<T: Layer> Layer for Option<T> {
    fn absorb(&mut self, later: Self, rule: ListRule) {
        match (self.as_mut(), later) {
            (Some(earlier), Some(later)) => earlier.absorb(later, rule),
            (None, Some(later)) => *self = Some(later),
            (_, None) => {}
        }
    }

    fn locate(&mut self, file: &SourceText) {
        if let Some(value) = self {
            value.locate(file);
        }
    }
}

impl<T: Layer> Layer for Vec<T> {
    fn absorb(&mut self, later: Self, rule: ListRule) {
        match rule {
            ListRule::Append => self.extend(later),
            ListRule::Replace if later.is_empty() => {}
            ListRule::Replace => *self = later,
        }
    }

    fn locate(&mut self, file: &SourceText) {
        self.iter_mut().for_each(|value| value.locate(file));
    }
}

impl<K: Ord, V: Layer> Layer for BTreeMap<K, V> {
    fn absorb(&mut self, later: Self, rule: ListRule) {
        for (key, value) in later {
            match self.get_mut(&key) {
                Some(earlier) => earlier.absorb(value, rule),
                None => {
                    self.insert(key, value);
                }
            }
        }
    }

    fn locate(&mut self, file: &SourceText) {
        self.values_mut().for_each(|value| value.locate(file));
    }
}

/// Implements [`Layer`] for types of which a later value simply takes the earlier one's place.
macro_rules! replaced {
    ($($type:ty),* $(,)?) => {
        $(impl $crate::schema::Layer for $type {
            fn absorb(&mut self, later: Self, _: $crate::schema::ListRule) {
                *self = later;
            }
        })*
    };
}
pub(crate) use replaced;

replaced!(
    bool,
    u32,
    i32,
    u64,
    String,
    serde_json::Value,
    crate::value::Architecture
);
replaced!(
    crate::value::AbsolutePath,
    crate::value::AccountName,
    crate::value::ArchiveComponent,
    crate::value::ByteSize,
    crate::value::Capabilities,
    crate::value::CommitId,
    crate::value::ComponentName,
    crate::value::DependencyText,
    crate::value::DistroName,
    crate::value::DistroVersion,
    crate::value::FileGlob,
    crate::value::FileMode,
    crate::value::FileName,
    crate::value::GroupName,
    crate::value::HexDigest,
    crate::value::HostName,
    crate::value::ImageName,
    crate::value::KernelArgument,
    crate::value::Keymap,
    crate::value::Line,
    crate::value::Locale,
    crate::value::NamePattern,
    crate::value::PackageName,
    crate::value::PathGlob,
    crate::value::ProgramName,
    crate::value::SourceVersion,
    crate::value::ResourceName,
    crate::value::Sha256Digest,
    crate::value::SuiteName,
    crate::value::TestSuiteName,
    crate::value::TimeZone,
    crate::value::Timestamp,
    crate::value::UnitName,
    crate::value::Url,
);

/// Defines a table of the file schema whose keys are all optional, with its [`Layer`]ing field by field.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type),*
        }

        impl $crate::schema::Layer for $name {
            fn absorb(&mut self, later: Self, rule: $crate::schema::ListRule) {
                $($crate::schema::Layer::absorb(&mut self.$field, later.$field, rule);)*
            }

            fn locate(&mut self, file: &$crate::schema::SourceText) {
                $($crate::schema::Layer::locate(&mut self.$field, file);)*
            }
        }
    };
}
pub(crate) use record;

/// Defines a table with keys that must be there. Such entries are never merged: a later one takes the earlier one's place.
macro_rules! entry {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type),*
        }

        impl $crate::schema::Layer for $name {
            fn absorb(&mut self, later: Self, _: $crate::schema::ListRule) {
                *self = later;
            }

            fn locate(&mut self, file: &$crate::schema::SourceText) {
                $($crate::schema::Layer::locate(&mut self.$field, file);)*
            }
        }
    };
}
pub(crate) use entry;

/// A file that configuration was read from: what [`Layer::locate`] needs of it.
#[derive(Debug, Clone)]
pub struct SourceText {
    file: Arc<Path>,
    folder: Arc<Path>,
    /// Where each line begins, in bytes.
    line_starts: Vec<usize>,
}

impl SourceText {
    /// The file at `path`, of which `text` is the content.
    #[must_use]
    pub fn new(path: &Path, text: &str) -> SourceText {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        SourceText {
            file: path.into(),
            folder: path.parent().unwrap_or(Path::new("")).into(),
            line_starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect(),
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let line = self
            .line_starts
            .partition_point(|start| *start <= span.start)
            .max(1);
        Place {
            file: Arc::clone(&self.file),
            line,
            span,
        }
    }
}

/// Where something stands: a file, and a line in it. [`Catalog::locate_place`](crate::Catalog::locate_place) makes a
/// [`Location`](crate::Location) of it, with the text and a caret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// The file.
    #[serde(serialize_with = "serialize_path")]
    pub file: Arc<Path>,
    /// Its line, from 1.
    pub line: usize,
    /// Bytes from the start of the file.
    #[serde(skip)]
    pub span: Range<usize>,
}

fn serialize_path<S: serde::Serializer>(path: &Arc<Path>, serializer: S) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(path.as_ref(), serializer)
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.file.display(), self.line)
    }
}

/// A value that remembers where it was written. Two of them are equal when their values are.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    value: T,
    span: Range<usize>,
    place: Option<Place>,
}

impl<T> Placed<T> {
    /// Where it was written, once the file has been loaded as a part of a project.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Placed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: serde::Serialize> serde::Serialize for Placed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Placed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = toml::Spanned::<T>::deserialize(deserializer)?;
        let span = spanned.span();
        Ok(Placed {
            value: spanned.into_inner(),
            span,
            place: None,
        })
    }
}

impl<T: Layer> Layer for Placed<T> {
    fn absorb(&mut self, later: Self, _: ListRule) {
        *self = later;
    }

    fn locate(&mut self, file: &SourceText) {
        self.place = Some(file.place(self.span.clone()));
        self.value.locate(file);
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Placed<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// A path or a glob together with the folder of the file that it was written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local<T> {
    value: T,
    folder: Option<Arc<Path>>,
}

impl<T> From<T> for Local<T> {
    fn from(value: T) -> Self {
        Local { value, folder: None }
    }
}

impl<T: serde::Serialize> serde::Serialize for Local<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Local<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Local::from)
    }
}

impl<T: AsRef<str>> Local<T> {
    /// As it was written.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        self.value.as_ref()
    }

    /// The folder that a relative path is relative to.
    pub fn folder(&self) -> &Path {
        self.folder.as_deref().unwrap_or(Path::new(""))
    }

    /// The path, joined to the folder of the file that it was written in.
    pub fn resolve(&self) -> PathBuf {
        normalise(&self.folder().join(self.value.as_ref()))
    }

    /// Whether it is an address (`https://…`) and no path.
    pub fn is_address(&self) -> bool {
        self.value.as_ref().contains("://")
    }
}

impl<T> Layer for Local<T> {
    fn absorb(&mut self, later: Self, _: ListRule) {
        *self = later;
    }

    fn locate(&mut self, file: &SourceText) {
        self.folder = Some(Arc::clone(&file.folder));
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Local<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

/// Resolves `.` and `..` by the text alone, so that a file has one name.
pub(crate) fn normalise(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            PathPart::CurDir => {}
            PathPart::ParentDir => match clean.components().next_back() {
                Some(PathPart::Normal(_)) => {
                    clean.pop();
                }
                Some(PathPart::RootDir | PathPart::Prefix(_)) => {}
                _ => clean.push(".."),
            },
            part => clean.push(part),
        }
    }
    clean
}

/// A list of which a later layer takes the earlier one's place, even when it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct OverrideList<T>(pub Vec<T>);

impl<T> Deref for OverrideList<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Layer> Layer for OverrideList<T> {
    fn absorb(&mut self, later: Self, _: ListRule) {
        *self = later;
    }

    fn locate(&mut self, file: &SourceText) {
        self.0.locate(file);
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for OverrideList<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <Vec<T>>::json_schema(generator)
    }
}

/// A table with free keys, in the order of the keys.
///
/// It differs from a plain map in its JSON schema only, which says what a key may be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
#[serde(bound(deserialize = "K: Ord + serde::Deserialize<'de>, V: serde::Deserialize<'de>"))]
pub struct Table<K, V>(pub BTreeMap<K, V>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table(BTreeMap::new())
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K, V> DerefMut for Table<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Table(entries.into_iter().collect())
    }
}

impl<K, V> IntoIterator for Table<K, V> {
    type Item = (K, V);
    type IntoIter = std::collections::btree_map::IntoIter<K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, K, V> IntoIterator for &'a Table<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = std::collections::btree_map::Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: Ord, V: Layer> Layer for Table<K, V> {
    fn absorb(&mut self, later: Self, rule: ListRule) {
        self.0.absorb(later.0, rule);
    }

    fn locate(&mut self, file: &SourceText) {
        self.0.locate(file);
    }
}

impl<K: schemars::JsonSchema, V: schemars::JsonSchema> schemars::JsonSchema for Table<K, V> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("TableOf{}", V::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let keys = generator.subschema_for::<K>();
        let values = generator.subschema_for::<V>();
        schemars::json_schema!({ "type": "object", "propertyNames": keys, "additionalProperties": values })
    }
}
