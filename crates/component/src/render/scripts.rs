//! The source files of a component that scripts make.

use std::collections::BTreeMap;

use lazuli_catalog::{ResolvedComponent, ResolvedSourceFile, SourceDigest};

use super::Renderer;
use crate::inputs::InputsError;
use crate::provider::digest;
use crate::script::{self, ScriptError, ScriptRequest, script_of};
use crate::source_tree::{Content, SourcePath, SourceTree};
use crate::sources::lookaside_files;

impl Renderer<'_> {
    /// Runs the scripts of source files whose digest is not known: what they make is put into the tree. One whose digest
    /// is known is not needed before the build.
    pub(super) fn run_scripts(
        &self,
        component: &ResolvedComponent,
        upstream: &SourceTree,
        tree: &mut SourceTree,
    ) -> Result<(), ScriptError> {
        for (index, file) in component.source_files.iter().enumerate() {
            if file.digest.is_none() && script_of(file).is_some() {
                let content = self.make(component, upstream, index)?;
                tree.put(SourcePath::new(file.filename.as_str())?, content);
            }
        }
        Ok(())
    }

    /// Runs the script of a source file, by its number, and checks what it made if its digest is known.
    pub(crate) fn make(
        &self,
        component: &ResolvedComponent,
        upstream: &SourceTree,
        index: usize,
    ) -> Result<Content, ScriptError> {
        let (earlier, rest) = component
            .source_files
            .split_at(index.min(component.source_files.len()));
        let found = rest.first().and_then(|file| Some((file, script_of(file)?)));
        let Some((file, (path, packages, inputs))) = found else {
            unreachable!("only source files that scripts make are made");
        };
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let runner = self.provider.scripts().ok_or_else(|| ScriptError::NoRunner {
            component: component.name.clone(),
            file: file.filename.to_string(),
            script: name.clone(),
        })?;
        let script = self
            .state
            .files()
            .read_bytes(path)
            .map_err(|source| ScriptError::Io {
                path: path.to_owned(),
                source,
            })?;
        let mut found = BTreeMap::new();
        for input in inputs {
            let content = self.input(component, upstream, earlier, (&name, input))?;
            found.insert(input.to_owned(), content);
        }
        let request = ScriptRequest {
            component: component.name.clone(),
            filename: file.filename.to_string(),
            name,
            script,
            packages: packages.to_vec(),
            inputs: found,
        };
        let made = script::run(runner, &request)?;
        check(component, file, &made)?;
        Ok(made.into())
    }

    /// What a script reads: a file of the upstream, one of its lookaside cache, or an earlier source file.
    fn input(
        &self,
        component: &ResolvedComponent,
        upstream: &SourceTree,
        earlier: &[ResolvedSourceFile],
        (script, input): (&str, &str),
    ) -> Result<Content, ScriptError> {
        let failed = |error: InputsError| ScriptError::Failed {
            component: component.name.clone(),
            file: input.to_owned(),
            source: error.into(),
        };
        if let Some(file) = upstream.get(input) {
            return Ok(file.content.clone());
        }
        if let Some(index) = earlier.iter().position(|file| file.filename.as_str() == input) {
            let known = |file: &ResolvedSourceFile| file.digest.is_none() && script_of(file).is_some();
            return match earlier.get(index) {
                Some(file) if known(file) => self.make(component, upstream, index),
                Some(file) => self.declared(component, file).map_err(failed),
                None => unreachable!("its place was just found"),
            };
        }
        let listed = lookaside_files(upstream).unwrap_or_default();
        match listed.iter().find(|file| file.name == input) {
            Some(file) => self.lookaside_file(component, file).map_err(failed),
            None => Err(ScriptError::NoInput {
                component: component.name.clone(),
                script: script.to_owned(),
                input: input.to_owned(),
            }),
        }
    }
}

fn check(component: &ResolvedComponent, file: &ResolvedSourceFile, made: &[u8]) -> Result<(), ScriptError> {
    let (kind, expected) = match &file.digest {
        None => return Ok(()),
        Some(SourceDigest::Sha256(hash)) => ("sha256", hash),
        Some(SourceDigest::Sha512(hash)) => ("sha512", hash),
    };
    let found = digest(kind, made).unwrap_or_default();
    match found.eq_ignore_ascii_case(expected) {
        true => Ok(()),
        false => Err(ScriptError::Mismatch {
            component: component.name.clone(),
            file: file.filename.to_string(),
            expected: expected.clone(),
            found,
        }),
    }
}
