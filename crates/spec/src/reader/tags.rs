//! The tags of the preamble.

use super::model::{DependencyKind, Qualifiers};

/// A tag that holds text, which a package keeps as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // The names are those of the tags.
pub enum TextTag {
    Name,
    Version,
    Release,
    Epoch,
    Summary,
    License,
    Distribution,
    DistUrl,
    Vendor,
    Group,
    Packager,
    Url,
    Vcs,
    DistTag,
    BugUrl,
    TranslationUrl,
    UpstreamReleases,
    ModularityLabel,
    Icon,
    SourceLicense,
    BuildSystem,
}

impl TextTag {
    /// The tag as rpm's documentation writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Version => "Version",
            Self::Release => "Release",
            Self::Epoch => "Epoch",
            Self::Summary => "Summary",
            Self::License => "License",
            Self::Distribution => "Distribution",
            Self::DistUrl => "DistURL",
            Self::Vendor => "Vendor",
            Self::Group => "Group",
            Self::Packager => "Packager",
            Self::Url => "URL",
            Self::Vcs => "VCS",
            Self::DistTag => "DistTag",
            Self::BugUrl => "BugURL",
            Self::TranslationUrl => "TranslationURL",
            Self::UpstreamReleases => "UpstreamReleases",
            Self::ModularityLabel => "ModularityLabel",
            Self::Icon => "Icon",
            Self::SourceLicense => "SourceLicense",
            Self::BuildSystem => "BuildSystem",
        }
    }

    /// Whether a sub-package has the main package's value unless it gives its own.
    pub(crate) fn is_inherited(self) -> bool {
        !matches!(
            self,
            Self::Name | Self::Summary | Self::SourceLicense | Self::BuildSystem | Self::Icon
        )
    }
}

/// The tags that a sub-package has from the main package, in the order in which rpm takes them.
pub(crate) const OPTIONAL: [(TextTag, &str); 9] = [
    (TextTag::Vendor, "vendor"),
    (TextTag::Packager, "packager"),
    (TextTag::Distribution, "distribution"),
    (TextTag::DistUrl, "disturl"),
    (TextTag::DistTag, "disttag"),
    (TextTag::BugUrl, "bugurl"),
    (TextTag::TranslationUrl, "translationurl"),
    (TextTag::UpstreamReleases, "upstreamreleases"),
    (TextTag::ModularityLabel, "modularitylabel"),
];

/// What a tag of the preamble does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// One word or a text that is kept.
    Text(TextTag, Words),
    /// `Name`, `Version`, `Release`: one word of certain characters.
    Identity(TextTag),
    Epoch,
    Source,
    Patch,
    NoSource,
    NoPatch,
    Icon,
    Dependency(DependencyKind),
    /// `PreReq`: `Requires(pre,preun)` of old.
    PreReq,
    BuildDependency(DependencyKind),
    ExcludeArch,
    ExclusiveArch,
    ExcludeOs,
    ExclusiveOs,
    Prefixes,
    BuildRoot,
    BuildArch,
    BuildOption,
    AutoReqProv,
    AutoReq,
    AutoProv,
    DocDir,
    RemovePathPostfixes,
}

/// How many words a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    One,
    Many,
}

/// What may stand in parentheses after a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parentheses {
    None,
    Language,
    Qualifiers,
}

/// A row of the table of tags.
#[derive(Debug)]
pub(crate) struct TagRow {
    /// The tag in lower case, which is also the name of its macro.
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    pub(crate) parentheses: Parentheses,
    /// Whether its value becomes a macro.
    pub(crate) is_macro: bool,
    pub(crate) deprecated: bool,
}

const fn row(name: &'static str, effect: Effect) -> TagRow {
    TagRow {
        name,
        effect,
        parentheses: Parentheses::None,
        is_macro: false,
        deprecated: false,
    }
}

const fn named(name: &'static str, effect: Effect) -> TagRow {
    TagRow {
        is_macro: true,
        ..row(name, effect)
    }
}

const fn localised(name: &'static str, effect: Effect) -> TagRow {
    TagRow {
        parentheses: Parentheses::Language,
        ..named(name, effect)
    }
}

const fn qualified(name: &'static str, effect: Effect) -> TagRow {
    TagRow {
        parentheses: Parentheses::Qualifiers,
        ..row(name, effect)
    }
}

/// Where one tag is the beginning of another, the longer comes first: the first that fits is taken.
static TAGS: [TagRow; 53] = [
    named("name", Effect::Identity(TextTag::Name)),
    named("version", Effect::Identity(TextTag::Version)),
    named("release", Effect::Identity(TextTag::Release)),
    named("epoch", Effect::Epoch),
    localised("summary", Effect::Text(TextTag::Summary, Words::Many)),
    named("license", Effect::Text(TextTag::License, Words::Many)),
    named("sourcelicense", Effect::Text(TextTag::SourceLicense, Words::Many)),
    named("distribution", Effect::Text(TextTag::Distribution, Words::Many)),
    named("disturl", Effect::Text(TextTag::DistUrl, Words::One)),
    named("vendor", Effect::Text(TextTag::Vendor, Words::Many)),
    localised("group", Effect::Text(TextTag::Group, Words::Many)),
    named("packager", Effect::Text(TextTag::Packager, Words::Many)),
    named("url", Effect::Text(TextTag::Url, Words::One)),
    named("vcs", Effect::Text(TextTag::Vcs, Words::One)),
    row("source", Effect::Source),
    row("patch", Effect::Patch),
    row("nosource", Effect::NoSource),
    row("nopatch", Effect::NoPatch),
    row("excludearch", Effect::ExcludeArch),
    row("exclusivearch", Effect::ExclusiveArch),
    row("excludeos", Effect::ExcludeOs),
    row("exclusiveos", Effect::ExclusiveOs),
    row("icon", Effect::Icon),
    row("provides", Effect::Dependency(DependencyKind::Provides)),
    qualified("requires", Effect::Dependency(DependencyKind::Requires)),
    qualified("recommends", Effect::Dependency(DependencyKind::Recommends)),
    qualified("suggests", Effect::Dependency(DependencyKind::Suggests)),
    qualified("supplements", Effect::Dependency(DependencyKind::Supplements)),
    qualified("enhances", Effect::Dependency(DependencyKind::Enhances)),
    TagRow {
        deprecated: true,
        ..qualified("prereq", Effect::PreReq)
    },
    row("conflicts", Effect::Dependency(DependencyKind::Conflicts)),
    row("obsoletes", Effect::Dependency(DependencyKind::Obsoletes)),
    named("prefixes", Effect::Prefixes),
    named("prefix", Effect::Prefixes),
    row("buildroot", Effect::BuildRoot),
    row("buildarchitectures", Effect::BuildArch),
    row("buildarch", Effect::BuildArch),
    row(
        "buildconflicts",
        Effect::BuildDependency(DependencyKind::Conflicts),
    ),
    TagRow {
        deprecated: true,
        ..row("buildprereq", Effect::BuildDependency(DependencyKind::Requires))
    },
    row("buildrequires", Effect::BuildDependency(DependencyKind::Requires)),
    qualified("buildoption", Effect::BuildOption),
    named("buildsystem", Effect::Text(TextTag::BuildSystem, Words::One)),
    row("autoreqprov", Effect::AutoReqProv),
    row("autoreq", Effect::AutoReq),
    row("autoprov", Effect::AutoProv),
    row("docdir", Effect::DocDir),
    named("disttag", Effect::Text(TextTag::DistTag, Words::One)),
    named("bugurl", Effect::Text(TextTag::BugUrl, Words::One)),
    named(
        "translationurl",
        Effect::Text(TextTag::TranslationUrl, Words::Many),
    ),
    named(
        "upstreamreleases",
        Effect::Text(TextTag::UpstreamReleases, Words::Many),
    ),
    qualified(
        "orderwithrequires",
        Effect::Dependency(DependencyKind::OrderWithRequires),
    ),
    named("removepathpostfixes", Effect::RemovePathPostfixes),
    named(
        "modularitylabel",
        Effect::Text(TextTag::ModularityLabel, Words::One),
    ),
];

/// A line of the preamble, taken apart.
#[derive(Debug)]
pub(crate) struct TagLine<'a> {
    pub(crate) row: &'static TagRow,
    /// What stands in parentheses; empty if nothing does.
    pub(crate) argument: &'a str,
    /// What stands between the tag and its colon, for the number of a source.
    pub(crate) suffix: &'a str,
    /// The value, without blanks around it.
    pub(crate) value: &'a str,
}

/// Takes a line apart, if it begins with a tag that is followed as that tag must be.
///
/// Unlike rpm 4.18, and like its successors, blanks before the tag are passed over.
pub(crate) fn parse(line: &str) -> Option<TagLine<'_>> {
    let line = line.trim_ascii();
    let row = TAGS.iter().find(|row| {
        line.get(..row.name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(row.name))
    })?;
    let rest = &line[row.name.len()..];
    let after = rest.trim_ascii_start();
    if matches!(row.effect, Effect::Source | Effect::Patch) {
        let (suffix, value) = rest.split_once(':')?;
        return Some(TagLine {
            row,
            argument: "",
            suffix,
            value: value.trim_ascii(),
        });
    }
    if let Some(value) = after.strip_prefix(':') {
        return Some(TagLine {
            row,
            argument: "",
            suffix: "",
            value: value.trim_ascii(),
        });
    }
    if row.parentheses == Parentheses::None {
        return None;
    }
    let inner = after.strip_prefix('(')?.trim_ascii_start();
    let end = inner.find(|character: char| character.is_ascii_whitespace() || character == ')')?;
    let value = inner[end..]
        .trim_ascii_start()
        .strip_prefix(')')?
        .trim_ascii_start()
        .strip_prefix(':')?;
    Some(TagLine {
        row,
        argument: &inner[..end],
        suffix: "",
        value: value.trim_ascii(),
    })
}

/// The words of `Requires(pre,post)`; the word that is none as the error.
pub(crate) fn parse_qualifiers(text: &str) -> Result<Qualifiers, &str> {
    let mut qualifiers = Qualifiers::empty();
    for word in text
        .split(',')
        .map(str::trim_ascii)
        .filter(|word| !word.is_empty())
    {
        qualifiers |= match word {
            "interp" => Qualifiers::INTERP,
            "prereq" => Qualifiers::PREREQ,
            "preun" => Qualifiers::PREUN,
            "pre" => Qualifiers::PRE,
            "postun" => Qualifiers::POSTUN,
            "post" => Qualifiers::POST,
            "rpmlib" => Qualifiers::RPMLIB,
            "verify" => Qualifiers::VERIFY,
            "pretrans" => Qualifiers::PRETRANS,
            "posttrans" => Qualifiers::POSTTRANS,
            "preuntrans" => Qualifiers::PREUNTRANS,
            "postuntrans" => Qualifiers::POSTUNTRANS,
            "meta" => Qualifiers::META,
            "missingok" => Qualifiers::MISSING_OK,
            _ => return Err(word),
        };
    }
    Ok(qualifiers)
}

/// The tag that a word was meant to be, for a hint: that of the fewest changed letters, if they are few.
pub(crate) fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    TAGS.iter()
        .map(|row| (distance(&word, row.name), row.name))
        .min()
        .filter(|(changes, name)| *changes * 3 <= name.len())
        .map(|(_, name)| name)
}

/// The Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    /// Longer words are no tag.
    const LONGEST: usize = 40;
    if a.len() > LONGEST {
        return usize::MAX / 3;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}
