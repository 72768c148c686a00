//! The fields of a fingerprint. Every type of the configuration is taken apart whole here: a new key does not compile
//! until someone has decided whether it counts.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use lazuli_catalog::schema::{self, HashType};
use lazuli_catalog::{
    BuildSettings, CheckPhase, CommitId, Declarations, FileContent, FileFilter, OverlayAction,
    ReleaseCalculation, ResolvedComponent, ResolvedOverlay, ResolvedSourceFile, Sha256Digest, Source,
    SourceDigest, SourceOrigin, SourcePlacement, SpecSource, UpstreamProvenance,
};
use serde_json::Value;

use super::{Environment, Fingerprint, FingerprintError};
use crate::files::ProjectFiles;

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceIdentity {
    /// This commit of its upstream.
    Commit(CommitId),
    /// A spec of the project and the files beside it, by name.
    Files(BTreeMap<String, Sha256Digest>),
    /// Binary packages of the upstream, by name.
    Packages(BTreeMap<String, Sha256Digest>),
    /// Nothing is locked: what is taken will be chosen by these.
    Wanted(BTreeMap<&'static str, String>),
    /// It is made from the catalog alone.
    Catalog,
}

/// All that a fingerprint is computed of.
#[derive(Clone, Copy)]
pub struct FingerprintInputs<'a> {
    /// The component, resolved.
    pub component: &'a ResolvedComponent,
    /// What is built.
    pub source: &'a SourceIdentity,
    /// The count of rebuilds that a person asked for, from the lock.
    pub manual_bump: u32,
    /// The release version of the distribution.
    pub release_version: &'a str,
    /// What it is built in.
    pub environment: &'a Environment,
    /// Where files that overlays take are read from.
    pub files: &'a dyn ProjectFiles,
}

/// Computes a fingerprint.
///
/// # Errors
/// A file that an overlay takes can't be read.
pub fn fingerprint(inputs: FingerprintInputs<'_>) -> Result<Fingerprint, FingerprintError> {
    let FingerprintInputs {
        component,
        source: identity,
        manual_bump,
        release_version,
        environment,
        files,
    } = inputs;
    let ResolvedComponent {
        // The name of a component that is rendered is in its spec, or in its declarations: not by itself.
        name: _,
        // Where it is written.
        file: _,
        source,
        declare,
        overlays,
        build,
        source_files,
        config,
        // Where it was inherited from.
        layers: _,
        // Who gets the packages changes nothing in them.
        scope: _,
    } = component;
    settled_elsewhere(config);
    let mut fields = Fields::default();
    fields.set("distro.release-version", release_version);
    if manual_bump > 0 {
        fields.set("manual-bump", manual_bump);
    }
    fields.identity(identity);
    fields.environment(environment);
    match source {
        Source::Spec(spec) => {
            fields.spec(spec);
            fields.build(build);
            for file in source_files {
                fields.source_file(file, files)?;
            }
            for (index, overlay) in overlays.iter().enumerate() {
                fields.overlay(index, overlay, files)?;
            }
        }
        Source::Import(import) => {
            let mut import = json("import", import)?;
            if let Some(Value::Array(reviews)) = import.get_mut("reviewed") {
                // What a person noted about a script.
                reviews
                    .iter_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(|review| {
                        review.remove("note");
                    });
            }
            fields.flatten("import", &import);
        }
        Source::Generate(generate) => fields.flatten("generate", &json("generate", generate)?),
    }
    fields.declare(declare, files)?;
    Ok(Fingerprint::new(fields.0))
}

/// The keys of a component in the file: each is counted by a field of [`ResolvedComponent`], or never.
fn settled_elsewhere(config: &schema::Component) {
    let schema::Component {
        // `source` and the identity.
        spec: _,
        import: _,
        generate: _,
        // Fields of their own.
        release: _,
        overlays: _,
        overlay_files: _,
        build: _,
        render: _,
        source_files: _,
        declare: _,
        // Where packages go, and what tests them: not what is in them.
        packages: _,
        default_package_config: _,
        publish: _,
        tests: _,
        templates: _,
        // Whether it is there at all.
        versions: _,
        architectures: _,
        // What it adds is in the fields above, once the version is known.
        per_version: _,
        // Who gets the packages changes nothing in them.
        scope: _,
    } = config;
}

fn json(what: &'static str, value: &impl serde::Serialize) -> Result<Value, FingerprintError> {
    serde_json::to_value(value).map_err(|source| FingerprintError::Json { what, source })
}

fn digest_of(files: &dyn ProjectFiles, path: &Path, what: &str) -> Result<String, FingerprintError> {
    let read = |source: io::Error| FingerprintError::Read {
        path: path.to_owned(),
        what: what.to_owned(),
        source,
    };
    files.digest(path).map(|digest| digest.to_string()).map_err(read)
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn set(&mut self, path: impl Into<String>, value: impl ToString) {
        self.0.insert(path.into(), value.to_string());
    }

    /// A list as its JSON; an empty one is the default.
    fn list(&mut self, path: &str, values: &[String]) {
        if !values.is_empty() {
            self.set(path, Value::from(values));
        }
    }

    fn identity(&mut self, identity: &SourceIdentity) {
        match identity {
            SourceIdentity::Commit(commit) => self.set("source.commit", commit),
            SourceIdentity::Files(files) => {
                for (name, digest) in files {
                    self.set(format!("source.files.{name}"), digest);
                }
            }
            SourceIdentity::Packages(packages) => {
                for (name, digest) in packages {
                    self.set(format!("source.packages.{name}"), digest);
                }
            }
            SourceIdentity::Wanted(wanted) => {
                for (key, value) in wanted {
                    self.set(format!("source.wanted.{key}"), value);
                }
            }
            SourceIdentity::Catalog => {}
        }
    }

    fn environment(&mut self, environment: &Environment) {
        let Environment {
            buildroot,
            macros,
            sandbox,
        } = environment;
        for (name, version) in buildroot {
            self.set(format!("environment.buildroot.{name}"), version);
        }
        for (name, digest) in macros {
            self.set(format!("environment.macros.{name}"), digest);
        }
        if let Some(version) = sandbox {
            self.set("environment.sandbox", version);
        }
    }

    fn spec(&mut self, spec: &SpecSource) {
        match spec {
            // What is in it is in the identity; where it is does not matter, but which of several files is the spec.
            SpecSource::Local { path } => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                self.set("source.spec", name);
            }
            SpecSource::Upstream {
                // The way to a commit; where there is none yet, it is in the identity.
                distro: _,
                version: _,
                commit: _,
                snapshot: _,
                name,
            } => self.set("source.spec", format!("{name}.spec")),
        }
    }

    /// What is declared; of a file that is taken, its digest rather than its place.
    fn declare(&mut self, declare: &Declarations, files: &dyn ProjectFiles) -> Result<(), FingerprintError> {
        let mut declared = json("declare", declare)?;
        let paths = declare.files.iter().map(|file| &file.content);
        let entries = declared
            .get_mut("files")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten();
        for (content, entry) in paths.zip(entries) {
            if let FileContent::File(path) = content {
                let digest = digest_of(files, path, "a declared file takes")?;
                entry["content"] = serde_json::json!({ "sha256": digest });
            }
        }
        self.flatten("declare", &declared);
        Ok(())
    }

    fn build(&mut self, build: &BuildSettings) {
        let BuildSettings {
            with,
            without,
            defines,
            undefines,
            upstream_provenance,
            check,
            // What is expected of the build, and how it is scheduled.
            outcome: _,
            effort: _,
            bootstrap,
            // What the check of the packages lets through.
            allow: _,
            release,
            file_filter,
        } = build;
        self.list("build.with", with);
        self.list("build.without", without);
        for (name, value) in defines {
            self.set(format!("build.defines.{name}"), value);
        }
        self.list("build.undefines", undefines);
        match upstream_provenance {
            UpstreamProvenance::Omit => {}
            UpstreamProvenance::Emit => self.set("build.emit-upstream-provenance", true),
        }
        match check {
            CheckPhase::Run => {}
            CheckPhase::Skip { reason: _ } => self.set("build.check.skip", true),
        }
        let bootstrap: Vec<String> = bootstrap.iter().map(ToString::to_string).collect();
        self.list("build.bootstrap", &bootstrap);
        match release {
            ReleaseCalculation::Auto => {}
            ReleaseCalculation::Autorelease => self.set("release.calculation", "autorelease"),
            ReleaseCalculation::Static => self.set("release.calculation", "static"),
            ReleaseCalculation::Manual => self.set("release.calculation", "manual"),
        }
        match file_filter {
            FileFilter::Referenced => {}
            FileFilter::All => self.set("render.skip-file-filter", true),
        }
    }

    fn source_file(
        &mut self,
        file: &ResolvedSourceFile,
        files: &dyn ProjectFiles,
    ) -> Result<(), FingerprintError> {
        let ResolvedSourceFile {
            filename,
            digest,
            origin,
            placement,
        } = file;
        let path = |key: &str| format!("source-files.{filename}.{key}");
        match placement {
            SourcePlacement::Add => self.set(path("replace-upstream"), false),
            SourcePlacement::Replace { reason: _ } => self.set(path("replace-upstream"), true),
        }
        // A digest says all about the content. Without one, all that is known is where it comes from.
        match (digest, origin) {
            (Some(SourceDigest::Sha256(hash)), _) => self.hash(&path(""), HashType::Sha256, hash),
            (Some(SourceDigest::Sha512(hash)), _) => self.hash(&path(""), HashType::Sha512, hash),
            (None, SourceOrigin::Lookaside) => self.set(path("origin.type"), "lookaside"),
            // The overlays that make it have fields of their own.
            (None, SourceOrigin::Overlay) => self.set(path("origin.type"), "overlay"),
            (None, SourceOrigin::Download { uri }) => self.set(path("origin.uri"), uri),
            (
                None,
                SourceOrigin::DebianSource {
                    package,
                    version,
                    file,
                },
            ) => {
                self.set(path("origin.package"), package);
                self.set(path("origin.archive-filename"), file);
                if let Some(version) = version {
                    self.set(path("origin.version"), version);
                }
            }
            (
                None,
                SourceOrigin::Crate {
                    name,
                    version,
                    part,
                    compression,
                },
            ) => {
                self.set(path("origin.crate"), format!("{name} {version}"));
                self.flatten(&path("origin.part"), &json("part", part)?);
                self.flatten(&path("origin.compression"), &json("compression", compression)?);
            }
            (
                None,
                SourceOrigin::Custom {
                    script,
                    packages,
                    inputs,
                },
            ) => {
                self.set(
                    path("origin.script"),
                    digest_of(files, script, "makes a source file")?,
                );
                self.list(&path("origin.packages"), packages);
                let inputs: Vec<String> = inputs.iter().map(ToString::to_string).collect();
                self.list(&path("origin.inputs"), &inputs);
            }
        }
        Ok(())
    }

    fn hash(&mut self, prefix: &str, kind: HashType, hash: &str) {
        let kind = match kind {
            HashType::Sha256 => "SHA256",
            HashType::Sha512 => "SHA512",
        };
        self.set(format!("{prefix}hash"), format!("{kind}:{hash}"));
    }

    fn overlay(
        &mut self,
        index: usize,
        overlay: &ResolvedOverlay,
        files: &dyn ProjectFiles,
    ) -> Result<(), FingerprintError> {
        let ResolvedOverlay {
            kind,
            action,
            // Why it is, and where it is written.
            description: _,
            metadata: _,
            layer: _,
            place: _,
        } = overlay;
        let prefix = format!("overlays[{index}]");
        self.set(format!("{prefix}.type"), kind.name());
        // An action is `{ "kind": { its keys } }`.
        let value = json("overlay", action)?;
        let mut keys = match value {
            Value::Object(kinds) => kinds.into_iter().next().map(|(_, keys)| keys).unwrap_or_default(),
            other => other,
        };
        if let OverlayAction::PatchAdd {
            source,
            file: _,
            package: _,
        }
        | OverlayAction::FileAdd { source, file: _ } = action
        {
            let path = source.resolve();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let digest = digest_of(files, &path, "an overlay takes")?;
            if let Some(keys) = keys.as_object_mut() {
                // Its folder is not in the result.
                keys.remove("source");
                keys.insert("sha256".to_owned(), digest.into());
                let file = keys.entry("file").or_insert(Value::Null);
                if file.is_null() {
                    *file = name.into();
                }
            }
        }
        self.flatten(&prefix, &keys);
        Ok(())
    }

    /// Tables key by key; other values as their JSON, texts as they are. What is empty has no field.
    fn flatten(&mut self, prefix: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(keys) => {
                for (key, value) in keys {
                    self.flatten(&format!("{prefix}.{key}"), value);
                }
            }
            Value::Array(values) if values.is_empty() => {}
            Value::String(text) => self.set(prefix, text),
            other => self.set(prefix, other),
        }
    }
}
