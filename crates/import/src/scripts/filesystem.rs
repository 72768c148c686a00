//! Commands that make, copy, change and remove files.

use super::ast::Node;
use super::evaluate::{Interpreter, Status, is_temporary};
use super::expand::Field;
use super::words::matches;
use super::{Action, KnownFile, Reason, Verdict};
use crate::declarations::{FileCapabilities, Symlink};

/// The options and operands of a call.
struct Call<'f> {
    options: Vec<(&'f str, Option<&'f str>)>,
    operands: Vec<&'f Field>,
}

impl<'f> Call<'f> {
    /// Parts options from operands; `valued` are short options (and long ones) that take a value.
    fn read(arguments: &'f [Field], valued: &[&str]) -> Self {
        let mut call = Call {
            options: Vec::new(),
            operands: Vec::new(),
        };
        let mut rest = arguments.iter();
        let mut only_operands = false;
        while let Some(field) = rest.next() {
            match field.known() {
                Some("--") if !only_operands => only_operands = true,
                Some(word) if !only_operands && word.len() > 1 && word.starts_with('-') => {
                    if let Some((name, value)) = word.split_once('=').filter(|_| word.starts_with("--")) {
                        call.options.push((name, Some(value)));
                    } else if valued.contains(&word) {
                        call.options.push((word, rest.next().and_then(Field::known)));
                    } else if !word.starts_with("--") && word.len() > 2 && valued.contains(&&word[..2]) {
                        call.options.push((&word[..2], Some(&word[2..])));
                    } else {
                        call.options.push((word, None));
                    }
                }
                _ => call.operands.push(field),
            }
        }
        call
    }

    fn value(&self, names: &[&str]) -> Option<&'f str> {
        self.options
            .iter()
            .rev()
            .find(|(name, _)| names.contains(name))
            .and_then(|(_, value)| *value)
    }

    /// Whether an option is given: a long one, or a letter of a cluster.
    fn has(&self, letter: char, long: &str) -> bool {
        self.options.iter().any(|(name, _)| {
            *name == long || (!name.starts_with("--") && name.starts_with('-') && name.contains(letter))
        })
    }
}

/// An octal mode. A symbolic one would need the mode before.
fn octal(text: &str) -> Option<u16> {
    u16::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777)
}

/// A symbolic mode, `u+s,go-w` (POSIX.1-2017, chmod), of a file that had another mode before.
fn symbolic(text: &str, before: u16) -> Option<u16> {
    let mut mode = before;
    for clause in text.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, what) = clause.split_at(at);
        let (sign, letters) = what.split_at(1);
        // Without a class, the umask would matter: not known.
        let mut classes = 0;
        for class in who.chars() {
            classes |= match class {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => return None,
            };
        }
        let mut bits = 0;
        for letter in letters.chars() {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if mode & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                _ => return None,
            };
        }
        if classes == 0 {
            // The bits that no usual umask takes away.
            classes = if letters.chars().all(|c| c == 'x') {
                0o7777
            } else {
                return None;
            };
        }
        match sign {
            "+" => mode |= bits & classes,
            "-" => mode &= !(bits & classes),
            _ => mode = (mode & !classes) | (bits & classes),
        }
    }
    Some(mode)
}

impl<'s> Interpreter<'s> {
    pub(super) fn file_command(&mut self, node: &'s Node, name: &str, arguments: &[Field]) -> Status {
        let operands = arguments
            .iter()
            .filter_map(Field::known)
            .filter(|word| word.starts_with('/'));
        let mut operands = operands.peekable();
        if operands.peek().is_some() && operands.all(|path| path.starts_with("/etc/init.d/")) {
            self.note(node, Verdict::Irrelevant(Reason::OtherInit));
            return Status::Yes;
        }
        let verdicts = match name {
            "mkdir" => self.mkdir(arguments),
            "install" => self.install(arguments),
            "chown" | "chgrp" => self.chown(name, arguments),
            "chmod" => self.chmod(arguments),
            "touch" => self.touch(arguments),
            "ln" => self.ln(arguments),
            "cp" => self.cp(arguments),
            "mv" => self.mv(arguments),
            "rm" | "rmdir" => self.rm(arguments),
            "setcap" => self.setcap(arguments),
            "ucf" => self.ucf(arguments),
            _ => None,
        };
        match verdicts {
            None => self.note(node, Verdict::Unknown),
            Some(verdicts) => {
                for verdict in verdicts {
                    if let Verdict::Understood(action) = &verdict {
                        self.made(action);
                    }
                    self.note(node, verdict);
                }
            }
        }
        Status::Yes
    }

    /// Remembers what an action makes, so that later tests find it.
    fn made(&mut self, action: &Action) {
        let path = match action {
            Action::Directory { path, .. } | Action::Touch { path, .. } | Action::CopyFile { path, .. } => {
                path
            }
            Action::Symlink(link) => &link.path,
            _ => return,
        };
        self.state.made.insert(path.clone());
    }

    /// The operands as absolute paths; `None` if one is not known.
    fn paths(&self, operands: &[&Field]) -> Option<Vec<String>> {
        operands.iter().map(|f| self.absolute(f.known()?)).collect()
    }

    fn mkdir(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &["-m", "--mode"]);
        let mode = match call.value(&["-m", "--mode"]) {
            Some(mode) => octal(mode)?,
            None if self.options_lack_value(&call, &["-m", "--mode"]) => return None,
            None => 0o777 & !self.state.umask,
        };
        let paths = self.paths(&call.operands)?;
        Some(
            paths
                .into_iter()
                .map(|path| understood(Action::Directory { path, mode }))
                .collect(),
        )
    }

    fn options_lack_value(&self, call: &Call<'_>, names: &[&str]) -> bool {
        call.options
            .iter()
            .any(|(name, value)| names.contains(name) && value.is_none())
    }

    fn install(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        const VALUED: [&str; 7] = ["-m", "--mode", "-o", "--owner", "-g", "--group", "-t"];
        let call = Call::read(arguments, &VALUED);
        if self.options_lack_value(&call, &VALUED) || call.value(&["-t"]).is_some() {
            return None;
        }
        let mode = call.value(&["-m", "--mode"]).map_or(Some(0o755), octal)?;
        let owner = call.value(&["-o", "--owner"]).map(str::to_owned);
        let group = call.value(&["-g", "--group"]).map(str::to_owned);
        let mut verdicts = Vec::new();
        let targets = if call.has('d', "--directory") {
            let paths = self.paths(&call.operands)?;
            verdicts.extend(paths.iter().map(|path| {
                understood(Action::Directory {
                    path: path.clone(),
                    mode,
                })
            }));
            paths
        } else {
            let [source, target] = call.operands.as_slice() else {
                return None;
            };
            let path = self.absolute(target.known()?)?;
            if source.known()? == "/dev/null" {
                verdicts.push(understood(Action::Touch {
                    path: path.clone(),
                    mode,
                }));
            } else {
                verdicts.push(self.copied(source.known()?, path.clone())?);
                verdicts.push(understood(Action::Mode {
                    path: path.clone(),
                    mode,
                }));
            }
            vec![path]
        };
        if owner.is_some() || group.is_some() {
            verdicts.extend(targets.into_iter().map(|path| {
                understood(Action::Owner {
                    path,
                    owner: owner.clone(),
                    group: group.clone(),
                    recursive: false,
                })
            }));
        }
        Some(verdicts)
    }

    fn chown(&self, name: &str, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &[]);
        if call
            .options
            .iter()
            .any(|(option, _)| option.starts_with("--reference") || option.starts_with("--from"))
        {
            return None;
        }
        let recursive = call.has('R', "--recursive");
        let (who, operands) = call.operands.split_first()?;
        let who = who.known()?;
        let part = |text: &str| (!text.is_empty()).then(|| account_name(text));
        let (owner, group) = match (name, who.split_once([':', '.'])) {
            ("chgrp", _) => (None, part(who)),
            (_, Some((owner, group))) => (part(owner), part(group)),
            (_, None) => (part(who), None),
        };
        let paths = self.paths(operands)?;
        let action = |path| Action::Owner {
            path,
            owner: owner.clone(),
            group: group.clone(),
            recursive,
        };
        Some(paths.into_iter().map(|path| understood(action(path))).collect())
    }

    fn chmod(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &[]);
        if call.has('R', "--recursive")
            || call
                .options
                .iter()
                .any(|(name, _)| name.starts_with("--reference"))
        {
            return None;
        }
        // `-s` and the like look like options.
        let clauses = call
            .options
            .iter()
            .map(|(name, _)| *name)
            .find(|name| name.len() > 1 && !name.starts_with("--"));
        let (mode, operands) = match clauses {
            Some("-c" | "-f" | "-v") | None => {
                let (mode, operands) = call.operands.split_first()?;
                (mode.known()?, operands)
            }
            Some(clause) => (clause, call.operands.as_slice()),
        };
        let mut verdicts = Vec::new();
        for path in self.paths(operands)? {
            let mode = match octal(mode) {
                Some(mode) => mode,
                None => match self.facts.files.get(&path) {
                    Some(KnownFile::Regular { mode: before, .. }) => symbolic(mode, *before)?,
                    _ => return None,
                },
            };
            verdicts.push(understood(Action::Mode { path, mode }));
        }
        Some(verdicts)
    }

    fn touch(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &["-d", "-r", "-t", "--reference", "--date"]);
        let mode = 0o666 & !self.state.umask;
        let mut verdicts = Vec::new();
        for operand in &call.operands {
            let path = operand.known()?;
            if is_temporary(path) || path.starts_with("/run/") || path.starts_with("/var/run/") {
                verdicts.push(Verdict::Irrelevant(Reason::Temporary));
                continue;
            }
            let path = self.absolute(path)?;
            // `-will-install` is how dh_installnss talks to itself.
            let there = self.facts.files.contains_key(&path) || path.ends_with("-will-install");
            verdicts.push(if there {
                Verdict::Irrelevant(Reason::NoEffect)
            } else {
                understood(Action::Touch { path, mode })
            });
        }
        Some(verdicts)
    }

    fn ln(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &["-t", "--target-directory", "-S"]);
        if !call.has('s', "--symbolic") || call.value(&["-t", "--target-directory"]).is_some() {
            return None;
        }
        let [target, link] = call.operands.as_slice() else {
            return None;
        };
        let target = target.known()?.to_owned();
        let mut path = self.link_path(link.known()?)?;
        let into_folder = link.known()?.ends_with('/')
            || (self.facts.files.get(&path) == Some(&KnownFile::Directory)
                && !call.has('n', "--no-dereference")
                && !call.has('T', "--no-target-directory"));
        if into_folder {
            path = format!("{path}/{}", target.rsplit('/').next()?);
        }
        // A link that the package ships anyway.
        if self.facts.files.contains_key(&path) {
            return Some(vec![Verdict::Irrelevant(Reason::NoEffect)]);
        }
        Some(vec![understood(Action::Symlink(Symlink { path, target }))])
    }

    /// The path of a link that is made: only its folder goes through the links of the layout.
    fn link_path(&self, path: &str) -> Option<String> {
        let (folder, name) = path.trim_end_matches('/').rsplit_once('/')?;
        let folder = if folder.is_empty() {
            String::new()
        } else {
            self.absolute(folder)?
        };
        Some(format!("{}/{name}", folder.trim_end_matches('/')))
    }

    /// A copy of a file of the package.
    fn copied(&self, source: &str, path: String) -> Option<Verdict> {
        if is_temporary(&path) {
            return Some(Verdict::Irrelevant(Reason::Temporary));
        }
        match self.known_file(source) {
            Some(KnownFile::Regular { .. }) => Some(understood(Action::CopyFile {
                source: self.absolute(source)?,
                path,
            })),
            _ => None,
        }
    }

    fn cp(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &["-t", "-S"]);
        if call.has('r', "--recursive") || call.has('R', "--recursive") || call.value(&["-t"]).is_some() {
            return None;
        }
        let [source, target] = call.operands.as_slice() else {
            return None;
        };
        let (source, written) = (source.known()?, target.known()?);
        if is_temporary(written) {
            return Some(vec![Verdict::Irrelevant(Reason::Temporary)]);
        }
        let mut path = self.absolute(written)?;
        if written.ends_with('/') || self.known_file(written) == Some(KnownFile::Directory) {
            path = format!("{path}/{}", source.rsplit('/').next()?);
        }
        if self.exists(source) == Status::No {
            return Some(vec![Verdict::Irrelevant(Reason::NothingThere)]);
        }
        self.copied(source, path).map(|verdict| vec![verdict])
    }

    fn mv(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &["-t", "-S"]);
        let [source, _] = call.operands.as_slice() else {
            return None;
        };
        // What the package neither ships nor makes is not there; another package's files are not its to move.
        let nothing = self.exists(source.known()?) != Status::Yes;
        nothing.then(|| vec![Verdict::Irrelevant(Reason::NothingThere)])
    }

    /// Removing what is not there does nothing; what the package ships or a script made must stay.
    fn rm(&mut self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &[]);
        let mut verdicts = Vec::new();
        for operand in &call.operands {
            let harmless = match operand {
                Field::Unknown => return None,
                Field::Known(path) if is_temporary(path) => Reason::Temporary,
                Field::Known(path) => {
                    let path = self.absolute(path)?;
                    let inside = format!("{path}/");
                    let own = |file: &String| *file == path || file.starts_with(&inside);
                    if self.facts.files.keys().any(own) {
                        return None;
                    }
                    if self.state.made.contains(&path) {
                        self.state.made.remove(&path);
                        verdicts.push(understood(Action::Remove { path }));
                        continue;
                    }
                    Reason::NothingThere
                }
                Field::Pattern(pattern) => {
                    if self
                        .facts
                        .files
                        .keys()
                        .chain(&self.state.made)
                        .any(|file| matches(pattern, file))
                    {
                        return None;
                    }
                    Reason::NothingThere
                }
            };
            verdicts.push(Verdict::Irrelevant(harmless));
        }
        Some(verdicts)
    }

    fn setcap(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let words: Vec<&str> = arguments.iter().map(Field::known).collect::<Option<_>>()?;
        let words: Vec<&str> = words.into_iter().filter(|w| *w != "-q").collect();
        let [value, path] = words.as_slice() else {
            return None;
        };
        if *value == "-r" {
            return Some(vec![Verdict::Irrelevant(Reason::NothingThere)]);
        }
        if value.starts_with('-') {
            return None;
        }
        let path = self.absolute(path)?;
        Some(vec![understood(Action::Capabilities(FileCapabilities {
            path,
            value: (*value).to_owned(),
        }))])
    }

    /// `ucf new file` keeps an administrator's changes: a configuration file.
    fn ucf(&self, arguments: &[Field]) -> Option<Vec<Verdict>> {
        let call = Call::read(arguments, &["--sum-file", "--src-dir", "--state-dir"]);
        if call.has('p', "--purge") {
            return Some(vec![Verdict::Irrelevant(Reason::BookKeeping)]);
        }
        let [source, target] = call.operands.as_slice() else {
            return None;
        };
        let path = self.absolute(target.known()?)?;
        self.copied(source.known()?, path).map(|verdict| vec![verdict])
    }

    /// `dpkg-statoverride --update --add user group mode path`.
    pub(super) fn stat_override(&mut self, node: &'s Node, arguments: &[Field]) -> Status {
        let words: Vec<Option<&str>> = arguments.iter().map(Field::known).collect();
        if words.contains(&Some("--list")) {
            self.print(Some(""));
            self.note(node, Verdict::Irrelevant(Reason::NoEffect));
            return Status::No;
        }
        if words.contains(&Some("--remove")) {
            self.note(node, Verdict::Irrelevant(Reason::NothingThere));
            return Status::Yes;
        }
        let plain: Vec<&Option<&str>> = words
            .iter()
            .filter(|w| !w.is_some_and(|w| w.starts_with("--")))
            .collect();
        match plain.as_slice() {
            [Some(owner), Some(group), Some(mode), Some(path)] => match (octal(mode), self.absolute(path)) {
                (Some(mode), Some(path)) => {
                    let (owner, group) = (Some(account_name(owner)), Some(account_name(group)));
                    let action = Action::Owner {
                        path: path.clone(),
                        owner,
                        group,
                        recursive: false,
                    };
                    self.note(node, understood(action));
                    self.note(node, understood(Action::Mode { path, mode }));
                }
                _ => self.note(node, Verdict::Unknown),
            },
            _ => self.note(node, Verdict::Unknown),
        }
        Status::Yes
    }
}

fn understood(action: Action) -> Verdict {
    Verdict::Understood(action)
}

/// `0` is `root`: ids other than that stay numbers, and are found by the linter.
fn account_name(text: &str) -> String {
    match text.strip_prefix('#').unwrap_or(text) {
        "0" => "root".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::symbolic;

    #[test]
    fn symbolic_modes() {
        for (text, before, expected) in [
            ("u+s", 0o755, Some(0o4755)),
            ("u-s", 0o4755, Some(0o755)),
            ("go-rwx", 0o755, Some(0o700)),
            ("g+s,o=", 0o755, Some(0o2750)),
            ("+x", 0o644, Some(0o755)),
            ("a+rX", 0o640, Some(0o644)),
            ("o+t", 0o777, Some(0o1777)),
            ("+w", 0o444, None),
            ("u+y", 0o444, None),
            ("755x", 0o444, None),
        ] {
            assert_eq!(symbolic(text, before), expected, "{text}");
        }
    }
}
